using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Weft.Proxy.Config;
using Weft.Proxy.Dns.Forwarding;
using Weft.Proxy.Dns.Names;

namespace Weft.Proxy.Dns.Server;

/// <summary>The cluster's DNS on one node: its own names from the newest table, other names from the machine's resolvers.</summary>
public sealed class DnsServer : IAsyncDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private readonly NameTableBuilder _builder;
    private readonly UdpListener _udp;
    private readonly TcpListener _tcp;
    private readonly Upstreams _upstreams;
    private Task _running = Task.CompletedTask;
    private NameTable _names;

    /// <param name="udp">Bound; stays the caller's.</param>
    /// <param name="tcp">Listening; stays the caller's.</param>
    /// <param name="domain">`cluster.local`.</param>
    /// <param name="namespaceOf">Of a client in the mesh; null: it is not.</param>
    public DnsServer(Socket udp, Socket tcp, string domain, ResolverFiles resolvers, TimeProvider time, ILoggerFactory loggers, Func<IPAddress, string?>? namespaceOf = null)
    {
        _builder = new(domain);
        _names = _builder.Current;
        IPAddress[] own = udp.LocalEndPoint is IPEndPoint at ? [at.Address] : [];
        _upstreams = new Upstreams(resolvers, own, time, loggers.CreateLogger("Weft.Dns"));
        var cache = new AnswerCache(time);
        _upstreams.Changed = cache.Clear;
        var responder = new Responder(() => Volatile.Read(ref _names), _upstreams, new Forwarder(_upstreams, cache, time), Counters, namespaceOf);
        _udp = new(udp, responder, Counters);
        _tcp = new(tcp, responder, time);
    }

    /// <summary>Begins to answer. What has come before waits in the sockets: a table that was applied first is the one that it is answered from.</summary>
    public void Start()
    {
        _udp.Start(Math.Clamp(Environment.ProcessorCount, 1, 4));
        _running = Task.WhenAll(_tcp.RunAsync(_stopping.Token), _upstreams.RunAsync(_stopping.Token));
    }

    public DnsCounters Counters { get; } = new();

    /// <summary>Services that it can name.</summary>
    public int Services => Volatile.Read(ref _names).Services.Count;

    /// <summary>Makes changes of the configuration visible to the next question. One caller at a time.</summary>
    public void Apply(IEnumerable<KeyValuePair<UnitKey, object?>> changes) => Volatile.Write(ref _names, _builder.Apply(changes));

    public async ValueTask DisposeAsync()
    {
        _udp.Stop();
        await _stopping.CancelAsync();
        await _running;
        _stopping.Dispose();
    }
}
