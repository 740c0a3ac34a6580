using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Weft.Bench.Proxy;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Runtime;
using Weft.Proxy.Transport;

// What bench/Load/proxy starts: `upstream PORT BODY`, or `proxy PORT UPSTREAM-PORT [CERTIFICATE KEY]`, each one loop on the core it is pinned to.
var port = int.Parse(args[1], CultureInfo.InvariantCulture);
var other = int.Parse(args[2], CultureInfo.InvariantCulture);
if (args[0] == "upstream")
{
    var loop = new EventLoop("loop", TimeProvider.System, defect => Console.Error.WriteLine(defect));
    loop.Post(() => FixedUpstream.Listen(loop, port, other));
    loop.Start();
}
else
{
    // As it is run: routes, a header filter, two-choice balancing, metrics, access records.
    var engine = new ProxyEngine(loops: 1, Stream.Null, TimeProvider.System, BenchConfig.Random, NullLoggerFactory.Instance);
    await engine.ApplyAsync(BenchConfig.Create(port, other, args.Length > 4 ? (args[3], args[4]) : null));
}

await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System);
