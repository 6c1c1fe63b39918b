"""The actions of the synthetic dataset: tables, to which an action is added in a few lines.

Names and super-classes are those of NTU RGB+D 120 (Liu et al. 2020); `SEEN` are from its classes
1-60, `UNSEEN` from 61-120. The motions are our own. Two pairs are close on purpose: reading and
writing differ by a stroke of the hand, drop and pick up by the order of events.
"""

from analysis_lib.datasets.synthetic.motions import read_motions, read_poses

#: poses that several motions go through
POSES = read_poses("""
book: both shoulder flex 12 side 4 twist 22, both elbow flex 75 twist -50, neck flex 22
pad: left shoulder flex 12 side 4 twist 22, left elbow flex 75 twist -50, neck flex 22
book-at-turn: @pad, right shoulder flex 16 side 4 twist 36, right elbow flex 72 twist -20
line-start: @pad, right shoulder flex 15 side 5 twist 38, right elbow flex 72 twist 20
line-end: @pad, right shoulder flex 13 side 5 twist 24, right elbow flex 72 twist 20
stroke: right wrist side 15 flex 6, right shoulder twist 4, right elbow flex 2
mouth: right shoulder flex 68 side 8 twist 36, right elbow flex 118
brush: right shoulder flex 58 side 24 twist 40, right elbow flex 116, neck flex 8
ear: right shoulder flex 76 side 32 twist 8, right elbow flex 130, neck side 8
crown: right shoulder flex 114 side 36 twist 6, right elbow flex 112, neck flex 6
chair: both hip flex 84 side 4, both knee flex 84, hip centre flex 4, both shoulder flex 20, both elbow flex 38
on-the-way: both hip flex 55, both knee flex 62, both ankle flex 12, hip centre flex 38,
        both shoulder flex 28, both elbow flex 20
stoop: hip centre flex 66, upper spine flex 12, both hip flex 22, both knee flex 32, both ankle flex 9, neck flex -8
crouch: hip centre flex 46, upper spine flex 10, both hip flex 74, both knee flex 100, both ankle flex 24
squat: both hip flex 92 side 10, both knee flex 118, both ankle flex 30, hip centre flex 34, both shoulder flex 74
reach-down: right shoulder flex 72 side 4, right elbow flex 6
carry: right shoulder flex 14 side 4 twist 16, right elbow flex 72
carry-low: right shoulder flex 6 twist 8, right elbow flex 30
bend: hip centre flex 40, upper spine flex 8, both hip flex 12, both knee flex 20, both ankle flex 6, neck flex 4
reach-out: right shoulder flex 60 side 4, right elbow flex 8
""")

SEEN = read_motions(
    """
[upper body]
drink water; seated 0.3
  0.36 0.68: @mouth, neck flex -14
drink water; seconds 2.5; seated 0.3
  0.18: @carry
  0.4: @mouth, neck flex -4
  0.55: @mouth, neck flex -24
  0.7: @mouth, neck flex -14
  0.85: @carry
brushing teeth; seconds 2.6
  0.22 0.78: @brush
  ~ 2.7: right shoulder twist 7 side 5, right wrist flex 8, right elbow flex 4
brushing teeth; seconds 2.6
  0.22 0.78: @brush
  ~ 2.4: right shoulder flex 6, right wrist side 10, right elbow flex -5
brushing hair; seconds 2.6
  0.22 0.78: @crown
  ~ 1: right shoulder side 13 flex -8, right elbow flex 13, right wrist flex 12
drop
  0.18: @carry
  0.42: @carry, neck flex 8
  0.54: right shoulder flex 24 side 6, right elbow flex 14, neck flex 18
drop
  0.12 0.28: @carry
  0.53 0.6: @stoop, @reach-down
  0.88: rest
drop
  0.08 0.2: @carry-low
  0.45 0.52: @stoop, @reach-down
  0.8: rest
drop
  0.1 0.24: @carry-low
  0.5 0.58: @bend, @reach-out
  0.86: rest
pick up
  0.12: rest
  0.4 0.47: @stoop, @reach-down
  0.72 0.86: @carry
pick up
  0.2: rest
  0.48 0.55: @stoop, @reach-down
  0.8 0.92: @carry-low
pick up
  0.14: rest
  0.42 0.5: @bend, @reach-out
  0.76 0.9: @carry-low
pick up; seconds 2.2
  0.12: rest
  0.42 0.5: @crouch, @reach-down
  0.74 0.86: @carry
throw; seconds 1.6; repeats 2
  0.38: right shoulder flex 30 side 80 twist -75, right elbow flex 95, upper spine twist 24, hip centre flex -6
  0.54: right shoulder flex 92 side 14, right elbow flex 14, upper spine twist -20, hip centre flex 12,
        right hip flex -8
  0.68: right shoulder flex 36 twist 24, right elbow flex 18, upper spine twist -14
throw; seconds 1.5; repeats 2
  0.36: right shoulder flex -42, upper spine twist 10, both knee flex 14, both hip flex 10
  0.56: right shoulder flex 88, right elbow flex 20, upper spine twist -10, hip centre flex 8
clapping; seated 0.2
  0.22 0.78: both shoulder flex 28 side 8 twist 26, both elbow flex 76
  ~ 2.3: both shoulder twist -13 side 6
clapping; seated 0.2
  0.22 0.78: both shoulder flex 44 side 4 twist 24, both elbow flex 92
  ~ 2.7: both shoulder twist -14 side 4, both wrist flex 6
reading; seconds 2.8; seated 0.4
  0.22 0.78: @book
  ~ 0.5: neck twist 5
  ~ 0.6: both elbow flex 2
reading; seconds 2.8; seated 0.4
  0.18 0.5: @book
  0.58: @book-at-turn
  0.66 0.84: @book
  ~ 0.5: neck twist 5
writing; seconds 2.8; seated 0.4
  0.18: @line-start
  0.82: @line-end
  ~ 2.9: @stroke
writing; seconds 2.8; seated 0.4
  0.18: @line-start
  0.5: @line-end
  0.58: @line-start
  0.84: @line-end
  ~ 3.2: @stroke
cheer up
  0.22 0.78: both shoulder flex 100 side 45 twist -20, both elbow flex 46, neck flex -8
  ~ 1.5: both shoulder flex 16, both elbow flex -20
  ~ 1.5 0.5 half: both knee flex 14, both hip flex 8, both ankle flex 7
hand waving; seated 0.1
  0.22 0.78: right shoulder flex 24 side 66 twist -76, right elbow flex 74
  ~ 1.9: right shoulder twist 27, right wrist side 10
hand waving; seated 0.1
  0.22 0.78: right shoulder flex 124 side 46, right elbow flex 14
  ~ 1.6: right shoulder side 21, right elbow flex 6, right wrist side 12
phone call; seconds 2.6; seated 0.3
  0.3 0.85: @ear
phone call; seconds 2.8; seated 0.3
  0.16 0.36: @carry, neck flex 18
  0.56 0.9: @ear
[lower body]
kicking something; seconds 1.5; repeats 2
  0.34: right hip flex -20, right knee flex 55, hip centre flex 6, left shoulder flex 14
  0.54: right hip flex 58, right knee flex 6, hip centre flex -8, left shoulder flex 26,
        right shoulder flex -20, left knee flex 8, left ankle flex 8
  0.72: right hip flex 16, right knee flex 24
kicking something; seconds 1.4; repeats 2
  0.32: right hip flex 30 side 8 twist -20, right knee flex 70
  0.52: right hip flex 48 side -6 twist -20, right knee flex 18, hip centre flex -4
  0.7: right hip flex 10, right knee flex 18
hopping; seconds 2.4
  0.14 0.86: left hip flex 30, left knee flex 80, both shoulder side 16, both elbow flex 34
  ~ 1.9 half: body lift 13
  ~ 1.9 0.5 half: right knee flex 30, right hip flex 16, right ankle flex 15
jump up; seconds 1.5; repeats 2
  0.36: both hip flex 56, both knee flex 78, both ankle flex 26, hip centre flex 22, both shoulder flex -34
  0.5: body lift 8, both ankle flex -30, both shoulder flex 110, both elbow flex 16
  0.58: body lift 30, both ankle flex -30, both shoulder flex 130, both elbow flex 20
  0.66: body lift 6, both ankle flex -18, both shoulder flex 80
  0.78: both hip flex 38, both knee flex 54, both ankle flex 20, hip centre flex 14
walking towards; seconds 2.8
  0.1 0.9: hip centre flex 3, both elbow flex 10
  ~ 0.95: right hip flex 26, left hip flex -26, right shoulder flex -20, left shoulder flex 20, upper spine twist 5
  ~ 0.95 0.2 half: right knee flex 48
  ~ 0.95 0.7 half: left knee flex 48
[full body]
sitting down
  0.5: @on-the-way
  0.86 1: @chair
sitting down; seconds 2.3
  0.25: upper spine twist 18, neck twist 26
  0.55: @on-the-way, upper spine twist 8
  0.86 1: @chair
standing up; seconds 1.9
  0 0.14: @chair
  0.5: @on-the-way
staggering; seconds 2.6
  0.3: hip centre flex 16 side 14, both shoulder side 18
  0.5: hip centre flex 10 side -16, both shoulder side 26
  0.72: hip centre flex 18 side 10, both shoulder side 14
  ~ 0.8: right hip flex 18 side 8, left hip flex -18 side 8, body side 6, hip centre twist 8
  ~ 0.8 0.2 half: right knee flex 46
  ~ 0.8 0.7 half: left knee flex 46
falling; seconds 1.7
  0.25: body flex 12, hip centre flex 12, both knee flex 16, both shoulder flex 30 side 18
  0.5: body flex 38, both knee flex 60, both hip flex 34, both shoulder flex 70, both elbow flex 40
  0.75: body flex 85, both knee flex 14, both shoulder flex 150 side 20, neck flex -20
  1: body flex 90, both knee flex 8, both shoulder flex 164 side 24, neck flex -16
falling; seconds 1.7
  0.3: body side 16, hip centre side 10, right shoulder side 40, left shoulder side 60
  0.6: body side 56, both hip flex 30, both knee flex 50, right shoulder side 50
  0.8: body side 84, both hip flex 34, both knee flex 40, right shoulder flex 60
  1: body side 88, both hip flex 36, both knee flex 42, right shoulder flex 64
""",
    POSES,
)

UNSEEN = read_motions(
    """
[upper body]
tennis bat swing; seconds 1.7; repeats 2
  0.38: right shoulder flex -20 side 64, right elbow flex 30, upper spine twist 36
  0.58: right shoulder flex 78 side 20 twist 20, right elbow flex 22, upper spine twist -22
  0.7: right shoulder flex 92 side -14 twist 34, right elbow flex 60, upper spine twist -32
hush (quiet); seconds 1.9
  0.32 0.74: @mouth, neck flex 4
thumb up; seconds 1.9; seated 0.2
  0.32 0.76: right shoulder flex 34 side 6, right elbow flex 66 twist -10, right wrist flex -6
  ~ 1.2: right elbow flex 3
hands up (both hands); seconds 2.2
  0.32 0.78: both shoulder flex 84 side 76 twist -50, both elbow flex 52
arm circles; seconds 2.8
  0.16 0.84: both shoulder side 82
  ~ 1.1: both shoulder flex 24
  ~ 1.1 0.25: both shoulder side 24
arm swings; seconds 2.8
  ~ 0.95: both shoulder flex 52
  ~ 1.9 0.25: both knee flex 12, both hip flex 6
[lower body]
butt kicks; seconds 2.6
  0.14 0.86: both elbow flex 50
  ~ 1.5 half: right knee flex 105, right hip flex -8
  ~ 1.5 0.5 half: left knee flex 105, left hip flex -8
  ~ 3 half: body lift 3
cross toe touch; seconds 3
  0.2: both shoulder side 72, both hip side 14
  0.38: hip centre flex 82 twist -28, both hip side 14, right shoulder flex 88 side -8, left shoulder flex -40 side 30
  0.56: both shoulder side 72, both hip side 14
  0.74: hip centre flex 82 twist 28, both hip side 14, left shoulder flex 88 side -8, right shoulder flex -40 side 30
side kick; seconds 1.7; repeats 2
  0.34: right hip flex 52 side 18, right knee flex 84, both elbow flex 60
  0.54: right hip side 58 flex 6, right knee flex 6, body side -12, left hip side 12, both elbow flex 60
  0.72: right hip flex 26 side 10, right knee flex 52, both elbow flex 50
[full body]
squat down; seconds 2.2
  0.45 0.6: @squat
running on the spot; seconds 2.6
  0.12 0.88: both elbow flex 78, hip centre flex 6
  ~ 1.45: right shoulder flex -34, left shoulder flex 34
  ~ 1.45 half: right hip flex 52, right knee flex 78
  ~ 1.45 0.5 half: left hip flex 52, left knee flex 78
  ~ 2.9 half: body lift 4
stretch oneself; seconds 2.8
  0.42: both shoulder flex 150 side 20, both elbow flex 18, hip centre flex -10, neck flex -22, both ankle flex -14
  0.68: both shoulder flex 154 side 34, both elbow flex 10, hip centre flex -14, neck flex -26, both ankle flex -14
""",
    POSES,
)

#: Small things that people do meanwhile; they say nothing about the action.
HABITS = read_motions("""
[upper body]
scratches the neck; seconds 1.6
  0.4 0.6: left shoulder flex 94 side 36 twist 10, left elbow flex 122
  ~ 2.5: left wrist flex 12
hand on the hip
  0.3 0.75: left shoulder side 36 flex -12 twist 40, left elbow flex 88
hand in the pocket
  0.22 0.78: left shoulder flex -8 side 8, left elbow flex 28
swings the free arm
  ~ 0.9: left shoulder flex 16
looks round; seconds 1.8
  0.3: neck twist 45
  0.6: neck twist -20
[lower body]
shifts the weight; seconds 1.8
  0.22 0.78: body side 4, hip centre side -6, left knee flex 16, left hip flex 9
steps; seconds 1
  0.5: left knee flex 40, left hip flex 26
[full body]
sways; seconds 2.4
  ~ 0.7: body side 3, hip centre side -5
""")
