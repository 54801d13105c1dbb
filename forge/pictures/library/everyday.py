"""Built-in poses of everyday life: standing, moving, sitting, lying, gestures."""

from __future__ import annotations

from .hands import Grip
from .posed import LibraryPose, pose
from .rig import Posture
from .stances import BACK, DOWN, HAND_ON_HIP, HANGING, arm, foot, leg, reach
from .vectors import FORWARD, UP, Attitude

_STANDING = Posture(HANGING, HANGING, foot(0.068, -0.012), foot(0.068, 0.012), middle=(0.0, 0.527, 0.0))

# Of a hand on the floor behind somebody who leans back.
_FLAT, _BEHIND = (0.0, -0.9, -0.42), (0.3, 0.42, -0.9)

STANDING_POSES: tuple[LibraryPose, ...] = (
    pose("standing", "Standing upright, arms at the sides", _STANDING),
    pose(
        "a_pose",
        "Standing with straight arms, half raised to the sides",
        Posture(
            arm((45.0, 0.0), (45.0, 0.0), Grip.OPEN),
            arm((45.0, 0.0), (45.0, 0.0), Grip.OPEN),
            foot(0.095, 0.0),
            foot(0.095, 0.0),
            middle=(0.0, 0.527, 0.0),
        ),
    ),
    pose(
        "t_pose",
        "Standing with straight arms, level to the sides",
        Posture(
            arm((90.0, 0.0), (90.0, 0.0), Grip.OPEN),
            arm((90.0, 0.0), (90.0, 0.0), Grip.OPEN),
            foot(0.075, 0.0),
            foot(0.075, 0.0),
            middle=(0.0, 0.528, 0.0),
        ),
    ),
    pose(
        "contrapposto",
        "Standing at ease, the weight on the left leg, the right knee bent",
        Posture(
            arm((12.0, -4.0), (6.0, 10.0)),
            arm((16.0, 2.0), (4.0, 26.0)),
            foot(0.045, -0.01),
            foot(0.125, 0.055, pole=(0.35, 0.0, 1.0)),
            middle=(0.025, 0.521, 0.0),
            hips=Attitude(roll=-7.0, yaw=4.0),
            torso=Attitude(roll=6.0, yaw=-5.0),
            head=Attitude(roll=-4.0, yaw=10.0),
        ),
    ),
    pose(
        "walking",
        "Walking, the left foot in front",
        Posture(
            arm((8.0, -22.0), (5.0, -4.0)),
            arm((8.0, 20.0), (3.0, 42.0)),
            foot(0.05, 0.165),
            foot(0.05, -0.2, 0.075),
            middle=(0.0, 0.497, 0.0),
            hips=Attitude(yaw=-6.0),
            torso=Attitude(pitch=3.0, yaw=6.0),
        ),
    ),
    pose(
        "running",
        "Running, the left knee in front",
        Posture(
            arm((14.0, -48.0), (0.0, 38.0), Grip.FIST),
            arm((10.0, 32.0), (-14.0, 118.0), Grip.FIST),
            leg((3.0, 62.0), (3.0, -34.0)),
            foot(0.035, -0.28, 0.09),
            middle=(0.0, 0.475, 0.0),
            hips=Attitude(pitch=6.0, yaw=-8.0),
            torso=Attitude(pitch=13.0, yaw=8.0),
            head=Attitude(pitch=2.0),
        ),
    ),
    pose(
        "sprinting",
        "Sprinting, bent forward, the right knee high",
        Posture(
            arm((10.0, 48.0), (-12.0, 132.0), Grip.OPEN),
            arm((16.0, -66.0), (4.0, 22.0), Grip.OPEN),
            foot(0.03, -0.345, 0.1),
            leg((3.0, 86.0), (2.0, -18.0)),
            middle=(0.0, 0.445, 0.0),
            hips=Attitude(pitch=12.0, yaw=8.0),
            torso=Attitude(pitch=28.0, yaw=-10.0),
            head=Attitude(pitch=6.0),
        ),
    ),
    pose(
        "jumping",
        "In the air, arms up, knees bent",
        Posture(
            arm((42.0, 168.0), (30.0, 176.0), Grip.OPEN),
            arm((46.0, 172.0), (34.0, 178.0), Grip.OPEN),
            leg((12.0, 38.0), (6.0, -62.0)),
            leg((14.0, 12.0), (8.0, -78.0)),
            torso=Attitude(pitch=4.0),
            head=Attitude(pitch=-8.0),
            above=0.16,
        ),
    ),
    pose(
        "reaching_up",
        "On the toes, reaching high with the right hand",
        Posture(
            arm((12.0, -6.0), (8.0, 6.0)),
            arm((8.0, 172.0), (2.0, 176.0), Grip.OPEN, palm=FORWARD),
            foot(0.06, -0.01, 0.085),
            foot(0.06, 0.012, 0.085),
            middle=(0.0, 0.573, 0.0),
            torso=Attitude(roll=4.0),
            head=Attitude(pitch=-26.0),
            above=0.046,
        ),
    ),
)

RESTING_POSES: tuple[LibraryPose, ...] = (
    pose(
        "sitting",
        "Sitting on a chair, the hands on the thighs",
        Posture(
            reach((0.085, 0.045, 0.2), (1.0, -0.4, -0.3), palm=DOWN, hand=(-0.1, -0.15, 1.0)),
            reach((0.085, 0.045, 0.2), (1.0, -0.4, -0.3), palm=DOWN, hand=(-0.1, -0.15, 1.0)),
            foot(0.085, 0.245),
            foot(0.085, 0.225),
            middle=(0.0, 0.295, 0.0),
        ),
    ),
    pose(
        "sitting_on_floor",
        "Sitting on the floor, leaning back on the hands, the left knee up",
        Posture(
            reach((0.15, 0.026, -0.2), (1.0, 0.0, -0.6), Grip.OPEN, palm=_FLAT, hand=_BEHIND, ground=True),
            reach((0.15, 0.026, -0.2), (1.0, 0.0, -0.6), Grip.OPEN, palm=_FLAT, hand=_BEHIND, ground=True),
            foot(0.085, 0.3, pole=(0.15, 1.0, 0.3)),
            foot(0.1, 0.48, pole=(0.15, 1.0, 0.3)),
            middle=(0.0, 0.058, 0.0),
            hips=Attitude(pitch=-20.0),
            torso=Attitude(pitch=-25.0),
            head=Attitude(pitch=-4.0),
        ),
    ),
    pose(
        "kneeling",
        "Kneeling on both knees, upright, the hands on the thighs",
        Posture(
            reach((0.1, -0.03, 0.075), (1.0, -0.3, -0.6), palm=(-0.3, 0.0, -1.0), hand=(-0.2, -1.0, 0.2)),
            reach((0.1, -0.03, 0.075), (1.0, -0.3, -0.6), palm=(-0.3, 0.0, -1.0), hand=(-0.2, -1.0, 0.2)),
            leg((5.0, 3.0), (1.0, -93.0)),
            leg((5.0, 3.0), (1.0, -93.0)),
        ),
    ),
    pose(
        "kneeling_on_one_knee",
        "Kneeling on the right knee, the left foot in front",
        Posture(
            reach((0.07, 0.075, 0.19), (1.0, -0.3, -0.3), palm=DOWN, hand=(-0.2, -0.2, 1.0)),
            HANGING,
            foot(0.075, 0.225),
            leg((4.0, -4.0), (1.0, -92.0)),
            middle=(0.0, 0.275, 0.0),
        ),
    ),
    pose(
        "crouching",
        "Crouching on the toes, the arms on the knees",
        Posture(
            reach((0.075, 0.16, 0.25), (1.0, -0.3, 0.0), ground=True, hand=(-0.3, -1.0, 0.3)),
            reach((0.075, 0.18, 0.25), (1.0, -0.3, 0.0), ground=True, hand=(-0.3, -1.0, 0.3)),
            foot(0.08, 0.04, 0.07, pole=(0.35, 0.5, 1.0)),
            foot(0.08, 0.01, 0.07, pole=(0.35, 0.5, 1.0)),
            middle=(0.0, 0.16, -0.06),
            hips=Attitude(pitch=15.0),
            torso=Attitude(pitch=30.0),
            head=Attitude(pitch=4.0),
            above=0.031,
        ),
    ),
    pose(
        "lying_on_back",
        "Lying on the back, the right knee up, the left hand on the belly",
        Posture(
            reach((0.01, 0.1, 0.1), (1.0, -0.2, -0.2), palm=BACK, hand=(-1.0, -0.1, 0.0)),
            arm((20.0, 2.0), (16.0, 6.0), Grip.RELAXED),
            leg((4.0, 4.0), (3.0, 0.0)),
            leg((4.0, 54.0), (3.0, -54.0)),
            head=Attitude(pitch=8.0, yaw=-55.0),
            whole=Attitude(pitch=-90.0, yaw=90.0),
        ),
    ),
    pose(
        "lying_on_side",
        "Lying on the left side, the head on the left arm, the knees bent",
        Posture(
            arm((3.0, 140.0), (-10.0, 168.0), Grip.OPEN, palm=(-1.0, 0.0, 0.0)),
            arm((-8.0, 48.0), (-25.0, 70.0)),
            leg((0.0, 28.0), (0.0, -34.0)),
            leg((-2.0, 44.0), (-4.0, -24.0)),
            head=Attitude(roll=6.0),
            whole=Attitude(roll=90.0),
        ),
    ),
)

GESTURES: tuple[LibraryPose, ...] = (
    pose(
        "pointing",
        "Standing, pointing to the right",
        Posture(
            HAND_ON_HIP,
            arm((68.0, 80.0), (72.0, 84.0), Grip.POINT, palm=DOWN),
            foot(0.075, -0.02),
            foot(0.085, 0.03),
            middle=(0.0, 0.525, 0.0),
            torso=Attitude(yaw=-8.0),
            head=Attitude(yaw=-28.0),
        ),
    ),
    pose(
        "waving",
        "Standing, waving with the right hand",
        Posture(
            HANGING,
            arm((74.0, 40.0), (22.0, 170.0), Grip.OPEN, palm=FORWARD),
            foot(0.068, -0.012),
            foot(0.072, 0.02),
            middle=(0.0, 0.526, 0.0),
            torso=Attitude(roll=2.0),
            head=Attitude(roll=5.0),
        ),
    ),
    pose(
        "arms_crossed",
        "Standing, the arms crossed over the chest",
        Posture(
            reach((-0.005, 0.165, 0.115), (0.8, -0.7, -0.15), palm=BACK, hand=(-1.0, 0.1, -0.15)),
            reach((-0.005, 0.19, 0.13), (0.8, -0.7, -0.1), palm=BACK, hand=(-1.0, 0.1, -0.35)),
            foot(0.09, -0.01),
            foot(0.09, 0.015),
            middle=(0.0, 0.525, 0.0),
        ),
    ),
    pose(
        "hands_on_hips",
        "Standing with the legs apart, the hands on the hips",
        Posture(HAND_ON_HIP, HAND_ON_HIP, foot(0.12, 0.0), foot(0.12, 0.0), middle=(0.0, 0.522, 0.0)),
    ),
    pose(
        "thinking",
        "Standing, the right hand at the chin, its elbow on the left hand",
        Posture(
            reach((-0.035, 0.115, 0.125), (0.8, -0.8, -0.2), palm=UP, hand=(-1.0, 0.1, 0.1)),
            reach(
                (0.03, 0.262, 0.135),
                (0.35, -1.0, 0.35),
                Grip.FIST,
                palm=BACK,
                hand=(-0.3, 1.0, 0.0),
            ),
            foot(0.07, -0.015),
            foot(0.09, 0.03),
            middle=(0.0, 0.524, 0.0),
            head=Attitude(pitch=6.0, roll=-4.0, yaw=-8.0),
        ),
    ),
    pose(
        "cheering",
        "Standing, both fists raised",
        Posture(
            arm((44.0, 170.0), (14.0, 174.0), Grip.FIST),
            arm((44.0, 170.0), (14.0, 174.0), Grip.FIST),
            foot(0.11, -0.01),
            foot(0.11, 0.01),
            middle=(0.0, 0.523, 0.0),
            head=Attitude(pitch=-10.0),
        ),
    ),
    pose(
        "bowing",
        "Bowing deeply, the hands on the thighs",
        Posture(
            reach((0.085, -0.005, 0.13), (1.0, 0.1, -0.6), palm=(0.0, -0.9, -0.5), hand=(-0.1, -0.5, 0.9)),
            reach((0.085, -0.005, 0.13), (1.0, 0.1, -0.6), palm=(0.0, -0.9, -0.5), hand=(-0.1, -0.5, 0.9)),
            foot(0.06, 0.05),
            foot(0.06, 0.05),
            middle=(0.0, 0.522, -0.06),
            hips=Attitude(pitch=20.0),
            torso=Attitude(pitch=62.0),
            head=Attitude(pitch=56.0),
        ),
    ),
    pose(
        "carrying",
        "Standing, carrying something in front of the body",
        Posture(
            reach((0.085, 0.1, 0.19), (0.8, -1.0, -0.5), Grip.OPEN, palm=UP, hand=(-0.1, 0.1, 1.0)),
            reach((0.085, 0.1, 0.19), (0.8, -1.0, -0.5), Grip.OPEN, palm=UP, hand=(-0.1, 0.1, 1.0)),
            foot(0.08, -0.015),
            foot(0.08, 0.025),
            middle=(0.0, 0.524, 0.0),
            torso=Attitude(pitch=-4.0),
        ),
    ),
)
