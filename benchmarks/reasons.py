"""Why a goal may be missed: shown beside it in the report, only where it is."""

PATCH = (
    "A PATCH is validated, merged, written to a state that others read meanwhile, rendered and "
    "kept in the journal; what it is measured against does nothing. Ninety calls of "
    "functions share the time, see docs/performance.md. Next: the server hands the app the head "
    "that it knows, in place of the variables by which the app finds its own."
)
GET = "The answer is kept rendered; finding it, its ids, its headers and the journal remain."
P99 = (
    "Load generator and server share the cores: nobody waits for another request, but all wait "
    "for the processor. The collector has nothing to do in a request."
)
BY_ID = (
    "A table of one is a plain dict, and all that a request touches is in the processor's caches. "
    "Of 1,000 alerts in turn each is fetched from memory, with what is known of its request, and a "
    "path of a tree is copied."
)
FILTER = (
    "Each text is new: a sixth of its time goes to reading its tokens and to compiling it with its "
    "literals, the rest is spread over all stages of the line. Next: to know a query string "
    "as a whole by all but its literals."
)
POST = (
    "A hundred values are made of JSON, stored as JSON, rendered, and dropped; no step of it "
    "stands out. Next: a decoder that validates as it reads."
)
PAGE = (
    "The page is kept whole for as long as its state and its walk are: 87 KB to send, ids, headers "
    "and the journal are what is left."
)
PROCESS = "Each write is one more line in the file: encoded, checked, and given to the system."
DISK = (
    "Writes that come together share a sync, and all clients wait for it: a third of the time is "
    "the disk's. To sync half of them while the other half is answered brings nothing on two "
    "cores, as the load generator has one. Next: a line of what changed in place of the entity."
)
START = (
    "Python, Flask and marshmallow are most of it. Nothing is loaded that the first answer does "
    "not need, and an expression of marshmallow's that takes 20 ms is compiled when it is used."
)
STATE = "Entities are kept as JSON until they are looked at; the last 96 MiB of it stay unpacked."
OPEN = "Each line is checked, its JSON too; that and Python's own start are all of it."
MEMORY = "Python, Flask and marshmallow are nearly all of it."
TESTS = (
    "To import Flask costs a run 0.04 s, all else that is loaded and the first server 0.06 s, and "
    "that pytest looks for garbage among more objects at its end 0.03 s. A test pays 0.03 ms for "
    "two fixtures and a reset, most of it pytest's, 0.02 ms more where calls are "
    "intercepted, and 0.05 ms for the line; the server, or the transport, around it is the rest."
)
FIRST_SERVER = (
    "Half of it is the import of Flask and marshmallow, as the row without MockGraph tells, a "
    "third that of MockGraph; its metadata, and the types that are asked for, are the rest."
)
RESET = "A reset exchanges pointers: what is measured is a request to the control plane."
TENANT = "A tenant shares the seeds: what is measured is the difference of two requests."
