using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Weft.Proxy.Dns.Wire;

namespace Weft.Proxy.Dns.Forwarding;

/// <summary>Where the machine's own resolver settings are.</summary>
/// <param name="Path">resolv.conf(5).</param>
/// <param name="BehindStub">What a local stub forwards to, used instead of the stub when it is there.</param>
/// <param name="Port">Where those servers listen.</param>
public sealed record ResolverFiles(string Path, string BehindStub, int Port = 53)
{
    public static ResolverFiles OfMachine { get; } = new("/etc/resolv.conf", "/run/systemd/resolve/resolv.conf");
}

/// <summary>
/// The servers that other names are asked of: those of the machine, read again when the files change, the ones that answer first, and none that
/// would ask back.
/// </summary>
internal sealed partial class Upstreams(ResolverFiles files, IReadOnlyCollection<IPAddress> own, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(5);

    // A server that did not answer is asked after the others for so long.
    private static readonly TimeSpan Penalty = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan ProbePatience = TimeSpan.FromSeconds(2);

    private sealed record State(ImmutableArray<IPEndPoint> Servers, ImmutableDictionary<IPEndPoint, long> FailedAt, string? Probe);

    private State _state = new([], ImmutableDictionary<IPEndPoint, long>.Empty, null);
    private string _seen = "";

    /// <summary>In the order in which they should be asked.</summary>
    public ImmutableArray<IPEndPoint> InOrder
    {
        get
        {
            var state = Volatile.Read(ref _state);
            return state.FailedAt.IsEmpty
                ? state.Servers
                : [.. state.Servers.OrderBy(server => state.FailedAt.TryGetValue(server, out var at) && time.GetElapsedTime(at) < Penalty)];
        }
    }

    /// <summary>None has answered lately: the machine is offline, most likely.</summary>
    public bool AllFailing
    {
        get
        {
            var state = Volatile.Read(ref _state);
            return !state.FailedAt.IsEmpty && state.Servers.All(server => state.FailedAt.TryGetValue(server, out var at) && time.GetElapsedTime(at) < Penalty);
        }
    }

    /// <summary>Called with every change of the servers: what others answered before may no longer hold.</summary>
    public Action? Changed { get; set; }

    public void Failed(IPEndPoint server) => ImmutableInterlocked.Update(ref _state, static (state, failed) =>
        state with { FailedAt = state.FailedAt.SetItem(failed.server, failed.now) }, (server, now: time.GetTimestamp()));

    public void Answered(IPEndPoint server)
    {
        if (!Volatile.Read(ref _state).FailedAt.IsEmpty)
            ImmutableInterlocked.Update(ref _state, static (state, well) => state with { FailedAt = state.FailedAt.Remove(well) }, server);
    }

    /// <summary>The question that must not come back: it was just sent to a server that it might have come through.</summary>
    public bool IsProbe(ReadOnlySpan<char> name)
    {
        if (Volatile.Read(ref _state).Probe is not { } probe || !name.SequenceEqual(probe))
            return false;
        ImmutableInterlocked.Update(ref _state, static state => state with { Probe = null });
        return true;
    }

    /// <summary>Looks at the files for as long as the server runs.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var tick = new PeriodicTimer(LookInterval, time);
        try
        {
            do
                await LookAsync(cancellationToken);
            while (await tick.WaitForNextTickAsync(cancellationToken));
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
        }
    }

    internal async Task LookAsync(CancellationToken cancellationToken)
    {
        var text = Read(files.Path);
        var servers = ResolvConf.Servers(text, own, files.Port);
        if (ResolvConf.IsLocalStub(servers) && Read(files.BehindStub) is { Length: > 0 } behind && ResolvConf.Servers(behind, own, files.Port) is { Length: > 0 } real)
            (text, servers) = (behind, real);
        if (text == _seen)
            return;
        var first = _seen.Length == 0;
        _seen = text;

        var usable = ImmutableArray.CreateBuilder<IPEndPoint>();
        foreach (var server in servers)
        {
            // Only a server of this machine can have this one as its own: 10.96.0.10 is on the loopback interface.
            if (IPAddress.IsLoopback(server.Address) && await AsksBackAsync(server, cancellationToken))
                Log.Loop(logger, server);
            else
                usable.Add(server);
        }

        ImmutableInterlocked.Update(ref _state, static (state, next) => state with { Servers = next, FailedAt = state.FailedAt.Clear() }, usable.ToImmutable());
        Log.Servers(logger, usable.Count == 0 ? "none" : string.Join(", ", usable));
        if (!first)
            Changed?.Invoke();
    }

    // Two labels by chance: nobody has the answer, so a stub passes the question on.
    private async Task<bool> AsksBackAsync(IPEndPoint server, CancellationToken cancellationToken)
    {
        var probe = string.Create(CultureInfo.InvariantCulture, $"{RandomNumberGenerator.GetHexString(16, lowercase: true)}.{RandomNumberGenerator.GetHexString(16, lowercase: true)}");
        ImmutableInterlocked.Update(ref _state, static (state, next) => state with { Probe = next }, probe);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var timer = time.CreateTimer(_ => patience.Cancel(), null, ProbePatience, Timeout.InfiniteTimeSpan);
        try
        {
            await UpstreamExchange.AskAsync(server, new Question(probe, RecordType.HINFO), patience.Token);
        }
        catch (Exception silent) when (silent is SocketException or OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
        }

        var cameBack = Volatile.Read(ref _state).Probe is null;
        ImmutableInterlocked.Update(ref _state, static state => state with { Probe = null });
        return cameBack;
    }

    private static string Read(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            return ""; // being written anew, or not there: looked at again
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "other names are asked of: {Servers}")]
        public static partial void Servers(ILogger logger, string servers);

        [LoggerMessage(LogLevel.Warning, "the resolver {Server} of this machine asks this server: it is not asked, or questions would go round. Give it a server of its own, or the machine another one in /etc/resolv.conf")]
        public static partial void Loop(ILogger logger, IPEndPoint server);
    }
}
