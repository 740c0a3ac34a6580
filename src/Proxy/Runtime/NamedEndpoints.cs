using System.Net;
using Microsoft.Extensions.Logging;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Resolution;
using Weft.Proxy.Upstream.Clusters;
using Weft.Proxy.Upstream.Discovery;

namespace Weft.Proxy.Runtime;

/// <summary>What a cluster finds behind one of its names, asked for again and again for as long as the cluster has the name.</summary>
/// <param name="changed">Called after each answer.</param>
internal sealed partial class NamedEndpoints(DnsDiscovery dns, string cluster, ProxyClock clock, ILogger logger, Action<NamedEndpoints> changed) : IAsyncDisposable
{
    // A resolver that does not answer must not hold up a configuration. Questions to DNS servers give up by themselves before that (NameResolver.Patience, twice for SRV records), and
    // what was answered is taken; this is for the system's resolver, which does not.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private readonly CancellationTokenSource _stop = new();
    private readonly NameResolver _resolver = new(dns, clock.Time);
    private Task _resolving = Task.CompletedTask;
    private IReadOnlyList<EndpointConfig> _found = [];
    private bool _toldForbidden;

    public DnsDiscovery Dns => dns;

    /// <summary>As it was answered last, or by whoever asked for the name before.</summary>
    public IReadOnlyList<EndpointConfig> Found => Volatile.Read(ref _found);

    /// <param name="before">Who asked for the same name otherwise, or elsewhere: what was found holds until the first answer.</param>
    public void TakeOver(NamedEndpoints before) => (_found, _toldForbidden) = (before.Found, before._toldForbidden);

    /// <summary>Whether both ask for the same.</summary>
    public bool IsSameName(DnsDiscovery other) => (dns.Name, dns.Port, dns.Srv) == (other.Name, other.Port, other.Srv);

    /// <param name="waits">For the first answer.</param>
    public async Task StartAsync(bool waits)
    {
        if (waits)
            _resolving = KeepResolvingAsync(await ResolveAsync());
        else
            _resolving = KeepResolvingAsync(TimeSpan.Zero);
    }

    /// <summary>Those that a name of the mesh may lead to.</summary>
    public IEnumerable<EndpointConfig> Allowed(ConnectWay way)
    {
        // Whoever writes a name, or answers for it, may not say where the node itself would find it: that is for whoever writes the configuration of a proxy of their own.
        var endpoints = Found;
        if (way.Paths is not { } paths)
            return endpoints;
        var allowed = endpoints.Where(endpoint => paths.MayResolveTo(IPAddress.Parse(endpoint.Address))).ToList();
        if (allowed.Count < endpoints.Count && !_toldForbidden)
        {
            Log.Forbidden(logger, dns.Name, cluster, string.Join(", ", endpoints.Except(allowed).Select(endpoint => endpoint.Address).Take(4)), allowed.Count);
            _toldForbidden = true;
        }

        return allowed;
    }

    private async Task KeepResolvingAsync(TimeSpan life)
    {
        try
        {
            while (true)
            {
                await Task.Delay(life, clock.Time, _stop.Token);
                life = await ResolveAsync();
            }
        }
        catch (OperationCanceledException)
        {
            // the end, or another name
        }
    }

    /// <returns>When the name is to be resolved again.</returns>
    private async Task<TimeSpan> ResolveAsync()
    {
        try
        {
            using var patience = new CancellationTokenSource(Patience, clock.Time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token, patience.Token);
            var found = await _resolver.ResolveAsync(either.Token);
            Volatile.Write(ref _found, found.Endpoints);
            changed(this);
            return found.Life;
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            return dns.Refresh; // the end
        }
        catch (Exception failed) when (failed is NotResolvedException or OperationCanceledException)
        {
            // What was found before stays: a resolver that is away is no reason to lose a service.
            Log.NotResolved(logger, dns.Name, cluster, failed is OperationCanceledException ? $"no answer within {Patience.TotalSeconds:0} s" : failed.Message);
            return dns.Refresh;
        }
        catch (Exception defect)
        {
            // Nobody would see that a name is asked for no more.
            Log.Defect(logger, defect, dns.Name, cluster);
            return dns.Refresh;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _resolving;
        _stop.Dispose();
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "{Name} of cluster {Cluster} is not resolved: {Reason}", EventName = nameof(NotResolved))]
        public static partial void NotResolved(ILogger logger, string name, string cluster, string reason);

        [LoggerMessage(LogLevel.Error, "What {Name} of cluster {Cluster} leads to is not taken over: the proxy has a defect", EventName = nameof(Defect))]
        public static partial void Defect(ILogger logger, Exception defect, string name, string cluster);

        [LoggerMessage(
            LogLevel.Warning, "{Name} of cluster {Cluster} leads to {Addresses}, where no name of the mesh may lead (loopback, link-local, multicast, the proxy's own, what in the cluster's ranges is no pod's and no service's): left out, {Left} others stay",
            EventName = nameof(Forbidden))]
        public static partial void Forbidden(ILogger logger, string name, string cluster, string addresses, int left);
    }
}
