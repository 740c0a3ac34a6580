using System.Globalization;
using Weft.Bench.Proxy;
using Weft.Proxy.Transport;

// What bench/Load/proxy starts beside the proxies: `upstream PORT BODY` and `grpc PORT`, each one loop on the core it is pinned to, and
// `idle PORT COUNT [tls]`, which says so when its connections are open.
var port = int.Parse(args[1], CultureInfo.InvariantCulture);
switch (args[0])
{
    case "upstream":
        var body = int.Parse(args[2], CultureInfo.InvariantCulture);
        Start(loop => FixedUpstream.Listen(loop, port, body));
        break;
    case "grpc":
        Start(loop => GrpcUpstream.Listen(loop, port));
        break;
    case "idle":
        var open = await IdleClients.OpenAsync(port, int.Parse(args[2], CultureInfo.InvariantCulture), args.Length > 3);
        Console.WriteLine($"open {open.Count}");
        Console.ReadLine();
        return;
}

await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System);

static void Start(Action<EventLoop> listen)
{
    var loop = new EventLoop("loop", TimeProvider.System, defect => Console.Error.WriteLine(defect));
    loop.Post(() => listen(loop));
    loop.Start();
}
