"""placeholder"""
TARGETS=[]
