"""Running stackwatt: the console command and the supervisor of the embedded stack.

May import the processes it starts, and imports them only when a command needs
them. It decides where state lives, which port is whose and in what order
things start and stop; it never touches a reading.
"""
