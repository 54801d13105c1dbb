"""Built-in poses of fights, magic and dance. What they hold is not drawn."""

from __future__ import annotations

from .hands import Grip
from .posed import LibraryPose, pose
from .rig import Posture
from .stances import BACK, DOWN, GUARD_NEAR_CHIN, arm, foot, leg, reach
from .vectors import FORWARD, UP, Attitude

ACTION_POSES: tuple[LibraryPose, ...] = (
    pose(
        "fighting_stance",
        "A boxer's guard, the left foot and fist in front",
        Posture(
            reach((0.05, 0.265, 0.21), (0.5, -1.0, 0.0), Grip.FIST, hand=(-0.2, 0.7, 0.7)),
            GUARD_NEAR_CHIN,
            foot(0.09, 0.13, pole=(0.1, 0.0, 1.0)),
            foot(0.12, -0.13, pole=(0.7, 0.0, 1.0)),
            middle=(0.0, 0.475, 0.0),
            hips=Attitude(yaw=-20.0),
            torso=Attitude(pitch=8.0, yaw=-26.0),
            head=Attitude(pitch=6.0, yaw=-4.0),
        ),
    ),
    pose(
        "punching",
        "A straight punch with the right fist, the left foot in front",
        Posture(
            GUARD_NEAR_CHIN,
            arm((31.0, 102.0), (33.0, 103.0), Grip.FIST, palm=DOWN),
            foot(0.09, 0.19, pole=(0.1, 0.0, 1.0)),
            foot(0.11, -0.2, 0.06, pole=(0.3, 0.0, 1.0)),
            middle=(0.0, 0.452, 0.03),
            hips=Attitude(yaw=20.0),
            torso=Attitude(pitch=12.0, yaw=36.0),
            head=Attitude(pitch=4.0, yaw=8.0),
        ),
    ),
    pose(
        "kicking",
        "A high side kick with the right leg, on the left leg",
        Posture(
            reach((0.07, 0.25, 0.13), (0.6, -1.0, 0.0), Grip.FIST, hand=(-0.2, 1.0, 0.3)),
            arm((40.0, -10.0), (20.0, 30.0), Grip.FIST),
            foot(0.02, 0.0, pole=(0.6, 0.0, 1.0)),
            leg((82.0, 88.0), (80.0, 90.0)),
            middle=(0.0, 0.52, 0.0),
            hips=Attitude(roll=22.0, yaw=10.0),
            torso=Attitude(roll=34.0, yaw=4.0),
            head=Attitude(roll=16.0, yaw=-40.0),
        ),
    ),
    pose(
        "sword_attack",
        "Both hands raised over the head to strike, the left foot in front",
        Posture(
            reach((0.0, 0.49, 0.0), (1.0, 0.1, 0.5), Grip.FIST, palm=BACK, hand=(-0.4, 0.9, -0.1)),
            reach((0.035, 0.53, -0.03), (1.0, 0.0, 0.3), Grip.FIST, palm=FORWARD, hand=UP),
            foot(0.1, 0.17, pole=(0.15, 0.0, 1.0)),
            foot(0.13, -0.18, pole=(0.6, 0.0, 1.0)),
            middle=(0.0, 0.455, 0.0),
            hips=Attitude(yaw=-14.0),
            torso=Attitude(pitch=-2.0, yaw=-20.0),
            head=Attitude(pitch=4.0, yaw=4.0),
        ),
    ),
    pose(
        "archery",
        "Drawing a bow to the left, the right hand at the chin",
        Posture(
            arm((88.0, 90.0), (88.0, 90.0), Grip.FIST, palm=FORWARD),
            reach(
                (0.012, 0.28, 0.1),
                (1.0, 0.15, -0.25),
                Grip.FIST,
                palm=BACK,
                hand=(-1.0, 0.0, 0.2),
            ),
            foot(0.13, 0.01),
            foot(0.13, -0.01),
            middle=(0.0, 0.519, 0.0),
            head=Attitude(yaw=40.0),
        ),
    ),
    pose(
        "casting",
        "Casting a spell: the left hand thrust forward, the right one raised",
        Posture(
            arm((38.0, 86.0), (30.0, 92.0), Grip.OPEN, palm=(0.0, 0.2, 1.0), hand=(0.2, 1.0, 0.4)),
            arm((56.0, 150.0), (6.0, 158.0), Grip.OPEN, palm=FORWARD),
            foot(0.11, 0.15, pole=(0.2, 0.0, 1.0)),
            foot(0.13, -0.15, pole=(0.6, 0.0, 1.0)),
            middle=(0.0, 0.475, 0.01),
            hips=Attitude(yaw=-10.0),
            torso=Attitude(pitch=3.0, yaw=-14.0),
            head=Attitude(yaw=6.0),
        ),
    ),
    pose(
        "dancing",
        "Dancing on the left leg, the right foot at the knee, one arm up and one to the side",
        Posture(
            arm((32.0, 168.0), (-24.0, 176.0), Grip.OPEN, palm=(-1.0, 0.0, 0.0)),
            arm((76.0, 50.0), (62.0, 80.0), Grip.OPEN, palm=DOWN),
            foot(0.025, 0.0),
            foot(0.0, 0.04, 0.29, pole=(1.0, 0.25, 0.55)),
            middle=(0.0, 0.527, 0.0),
            hips=Attitude(roll=-2.0),
            torso=Attitude(roll=-3.0),
            head=Attitude(roll=5.0, yaw=14.0),
        ),
    ),
    pose(
        "dodging",
        "Leaning far to the left to dodge, the knees bent, the hands up",
        Posture(
            GUARD_NEAR_CHIN,
            reach((0.08, 0.25, 0.14), (0.6, -1.0, 0.0), Grip.OPEN, hand=(0.0, 1.0, 0.3)),
            foot(0.2, 0.03, pole=(0.5, 0.0, 1.0)),
            foot(0.13, -0.03, pole=(0.4, 0.0, 1.0)),
            middle=(0.03, 0.43, -0.01),
            hips=Attitude(roll=8.0),
            torso=Attitude(roll=26.0, pitch=10.0),
            head=Attitude(roll=14.0, pitch=4.0),
        ),
    ),
    pose(
        "flying",
        "Flying forward in the air, the right fist ahead",
        Posture(
            arm((14.0, -4.0), (8.0, 2.0), Grip.FIST),
            arm((10.0, 172.0), (4.0, 176.0), Grip.FIST),
            leg((4.0, -4.0), (3.0, -8.0)),
            leg((4.0, 26.0), (3.0, -42.0)),
            head=Attitude(pitch=-40.0),
            whole=Attitude(pitch=62.0, yaw=-35.0),
            above=0.12,
        ),
    ),
)
