"""A replica set whose members are processes of this machine: started, found again and stopped by one command each."""
