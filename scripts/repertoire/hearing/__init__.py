"""What a model writes, heard by classifiers and rules that know people's music: is what was asked for there?"""
