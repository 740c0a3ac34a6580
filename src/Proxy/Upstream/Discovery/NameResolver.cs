using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Resolution;
using Weft.Proxy.Dns.Forwarding;
using Weft.Proxy.Dns.Wire;

namespace Weft.Proxy.Upstream.Discovery;

/// <summary>
/// The endpoints behind a name. Where the cluster names DNS servers, or wants SRV records, servers are asked here; other names are the system's business. Remembers, for each name that
/// SRV records lead to, what it was last known by: one that cannot be resolved for a moment is not lost.
/// </summary>
/// <param name="asksServers">Servers are asked here in any case, those of the system where the cluster names none: only they tell how long an answer is good.</param>
public sealed class NameResolver(DnsDiscovery dns, TimeProvider time, bool asksServers = false)
{
    // Less would be a burden for servers, more would keep endpoints that have left (resolvers of common languages cache for half a minute to five).
    private static readonly TimeSpan Shortest = TimeSpan.FromSeconds(1), Longest = TimeSpan.FromMinutes(5);

    // Of all tries at questions that are asked together. SRV records and then their targets must have room in the patience of who asks (ClusterDriver).
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    // Each server is tried within it, but none is given less: names that are far away take a while.
    private static readonly TimeSpan ShortestTry = TimeSpan.FromMilliseconds(250);
    private const int Rounds = 2;
    private const int DefaultPort = 53;
    private const int MaxTargets = 256, TargetsAtOnce = 64;
    private readonly Dictionary<string, IReadOnlyList<IPAddress>> _known = [];
    private int _answering;

    /// <exception cref="NotResolvedException">What is known from before is still the best.</exception>
    public async Task<FoundEndpoints> ResolveAsync(CancellationToken cancellationToken)
    {
        if (!dns.Srv && dns.Servers.IsEmpty && !asksServers)
            return new FoundEndpoints(Of(await SystemAsync(cancellationToken)), dns.Refresh);
        var servers = Servers();
        if (!dns.Srv)
        {
            using var deadline = new CancellationTokenSource(Patience, time);
            var (addresses, ttl) = await AddressesAsync(servers, dns.Name, deadline.Token, cancellationToken);
            return new FoundEndpoints(Of(addresses), Life(ttl));
        }

        return await ServicesAsync(servers, cancellationToken);
    }

    private async Task<FoundEndpoints> ServicesAsync(IReadOnlyList<IPEndPoint> servers, CancellationToken cancellationToken)
    {
        using var first = new CancellationTokenSource(Patience, time);
        var answer = await AskAsync(servers, new Question(dns.Name, RecordType.SRV), first.Token, cancellationToken);
        var services = ServiceRecords.Services(answer);
        var targets = services.Select(service => service.Target).Distinct().Take(MaxTargets).ToList();
        var found = new ConcurrentDictionary<string, (IReadOnlyList<IPAddress> Addresses, uint Ttl)>();
        // One for all of them: those that nobody answers for must not use up the time of the others.
        using var deadline = new CancellationTokenSource(Patience, time);
        await Parallel.ForEachAsync(targets, new ParallelOptions { MaxDegreeOfParallelism = TargetsAtOnce, CancellationToken = cancellationToken }, async (target, token) =>
        {
            try
            {
                found[target] = await AddressesAsync(servers, target, deadline.Token, token);
            }
            catch (NotResolvedException) when (_known.ContainsKey(target))
            {
                // As it was known; asked for again soon.
                found[target] = (_known[target], 0);
            }
            catch (NotResolvedException)
            {
                found[target] = ([], 0);
            }
        });
        _known.Clear();
        foreach (var (target, (addresses, _)) in found.Where(pair => pair.Value.Addresses.Count > 0))
            _known[target] = addresses;
        if (services.Count > 0 && _known.Count == 0)
            throw new NotResolvedException($"none of {services.Count} SRV records leads to an address");
        var ttl = found.Values.Select(value => value.Ttl).Concat(services.Select(service => service.Ttl)).DefaultIfEmpty((uint)answer.Life.TotalSeconds).Min();
        return new FoundEndpoints(ServiceRecords.Endpoints(services, _known), Life(ttl));
    }

    private async Task<(IReadOnlyList<IPAddress> Addresses, uint Ttl)> AddressesAsync(IReadOnlyList<IPEndPoint> servers, string name, CancellationToken deadline, CancellationToken cancellationToken)
    {
        var both = await Task.WhenAll(TryAskAsync(RecordType.A), TryAskAsync(RecordType.AAAA));
        var ttl = uint.MaxValue;
        var answers = both.Select(one => one.Answer).OfType<UpstreamAnswer>().ToList();
        var addresses = answers.SelectMany(answer => ServiceRecords.Addresses(answer, ref ttl)).ToList();
        if (addresses.Count == 0 && both.Select(one => one.Reason).FirstOrDefault(reason => reason is not null) is { } why)
            throw new NotResolvedException($"no answer for {name}: {why}");
        return (addresses, addresses.Count > 0 ? ttl : (uint)answers.Min(answer => answer.Life.TotalSeconds));

        async Task<(UpstreamAnswer? Answer, string? Reason)> TryAskAsync(ushort type)
        {
            try
            {
                return (await AskAsync(servers, new Question(name, type), deadline, cancellationToken), null);
            }
            catch (NotResolvedException none)
            {
                return (null, none.Message);
            }
        }
    }

    /// <summary>An answer that says what there is, or that there is nothing.</summary>
    /// <param name="deadline">Ends this question alone: nobody has answered.</param>
    private async Task<UpstreamAnswer> AskAsync(IReadOnlyList<IPEndPoint> servers, Question question, CancellationToken deadline, CancellationToken cancellationToken)
    {
        var reason = servers.Count == 0 ? "no server is known" : $"no time is left to ask for {question.Name}";
        var tries = Rounds * servers.Count;
        for (var i = 0; i < tries && !deadline.IsCancellationRequested; i++)
        {
            // The one that has answered last is asked first.
            var number = (Volatile.Read(ref _answering) + i) % servers.Count;
            using var patience = new CancellationTokenSource(TimeSpan.FromTicks(Math.Max(Patience.Ticks / tries, ShortestTry.Ticks)), time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, deadline, patience.Token);
            try
            {
                var answer = await UpstreamExchange.AskAsync(servers[number], question, either.Token);
                if (answer is { Rcode: Rcode.NoError or Rcode.NxDomain })
                {
                    Volatile.Write(ref _answering, number);
                    return answer;
                }

                reason = $"{servers[number]} answers {question.Name} with code {answer?.Rcode.ToString() ?? "that cannot be read"}";
            }
            catch (SocketException failed)
            {
                reason = $"{servers[number]}: {failed.Message}";
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                reason = $"{servers[number]} does not answer";
            }
        }

        throw new NotResolvedException(reason);
    }

    private async Task<IReadOnlyList<IPAddress>> SystemAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await System.Net.Dns.GetHostAddressesAsync(dns.Name, cancellationToken);
        }
        catch (Exception failed) when (failed is SocketException or ArgumentException)
        {
            throw new NotResolvedException(failed.Message);
        }
    }

    private IReadOnlyList<IPEndPoint> Servers()
    {
        if (!dns.Servers.IsEmpty)
            return [.. dns.Servers.Select(text => IPEndPoint.Parse(text)).Select(server => server.Port == 0 ? new IPEndPoint(server.Address, DefaultPort) : server)];
        try
        {
            return ResolvConf.Servers(File.ReadAllText("/etc/resolv.conf"), []);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new NotResolvedException($"/etc/resolv.conf: {unreadable.Message}");
        }
    }

    private List<EndpointConfig> Of(IReadOnlyList<IPAddress> addresses) =>
        [.. addresses.Select(address => new EndpointConfig { Address = address.ToString(), Port = dns.Port, HostName = dns.Name })];

    // 0 says nothing that a proxy could go by: it would have to ask for each request.
    private TimeSpan Life(uint seconds) =>
        seconds == 0 ? dns.Refresh : TimeSpan.FromTicks(Math.Clamp(TimeSpan.FromSeconds(seconds).Ticks, Shortest.Ticks, Longest.Ticks));
}
