"""Files that carry what users have saved from one AvatarForge to another."""
