"""Every bound on what a peer can make this server hold, with the reason for its value.

A queue, buffer, map or loop without a bound named here is a defect. Values that an operator may tune are the defaults
of `config`; the rest are constants because a wrong value is an outage or an attack.

One module for each subject, from the wire up: `http2`, `rpc`, `transport`, `membership`, `storage`, `documents`,
`queries`, `indexes`, `database`, `replication`, `client`; `units` names sizes in bytes.
"""
