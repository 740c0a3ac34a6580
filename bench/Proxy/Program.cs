using System.Globalization;
using System.Net;
using Weft.Bench.Proxy;
using Weft.Proxy.Forwarding;
using Weft.Proxy.Http1;

using Weft.Proxy.Runtime;
using Weft.Proxy.Transport;
using Weft.Proxy.Upstream;

// What bench/Load/proxy starts: `upstream PORT BODY`, `proxy PORT UPSTREAM-PORT` or `h2c PORT UPSTREAM-PORT`, each one loop on the core it is pinned to.
var loop = new EventLoop("loop", TimeProvider.System, defect => Console.Error.WriteLine(defect));
var port = int.Parse(args[1], CultureInfo.InvariantCulture);
var other = int.Parse(args[2], CultureInfo.InvariantCulture);
loop.Post(() =>
{
    if (args[0] == "upstream")
    {
        FixedUpstream.Listen(loop, port, other);
        return;
    }

    var services = new LoopServices(loop, 1);
<<<<<<< HEAD
    var pool = new EndpointPool(loop, new(IPAddress.Loopback, other), new(), new(loop.Buffers));
=======
    var pool = new EndpointPool(loop, new(IPAddress.Loopback, other), new());
    if (args[0] == "h2c")
    {
        H2cFront.Listen(loop, new(IPAddress.Any, port), services, pool);
        return;
    }

>>>>>>> h2
    _ = new HttpFront(services, Listener.Bind(new(IPAddress.Any, port)), pool, new Http1ServerOptions(Http1Limits.Default, "http"));
});
loop.Start();
await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System);
