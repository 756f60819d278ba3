"""A book of tunes in ABC: two that can be read, and one whose bars are of another metre than the one named."""

BOOK = """%abc-2.1
M:6/8
L:1/8

X:1
T:First
K:D dorian
A|d2d def|gfe d2A|d2d def|gfe d2|]

some words on it: all of them are no music

X:2
T:Second
M:4/4
Q:1/4=99
K:Gmix
|:GABc d2d2|edcB A4:|

X:3
T:Third (odd)
M:3/4
K:C
C2 D2|C2 D2|C2 D2|C2 D2|]
"""
