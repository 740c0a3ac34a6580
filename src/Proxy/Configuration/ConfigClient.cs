using System.Collections.Immutable;
using System.Net.WebSockets;
using Microsoft.Extensions.Logging;
using Weft.Proxy.Config;
using Weft.Proxy.Config.Wire;

namespace Weft.Proxy.Configuration;

/// <summary>Follows the server's configuration: says what it has, applies what is different, acknowledges it; again and again, for as long as the proxy runs.</summary>
/// <param name="connect">Opens a stream to the server.</param>
/// <param name="file">Where the last good state is kept.</param>
public sealed partial class ConfigClient(ConfigState state, ConfigFile file, Func<CancellationToken, Task<WebSocket>> connect, TimeProvider time, Random random, ILogger logger)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);

    // What a change waits for when the server comes back, after the server's own start; a refused connection costs a fraction of a millisecond.
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan ConnectPatience = TimeSpan.FromSeconds(10);

    /// <summary>
    /// At most so often is the file written for what says where things are: a crash in between costs a few deltas more at the next connection. What says who may do what is written before it is acknowledged, as
    /// a proxy that comes back while the server is away must not have forgotten it.
    /// </summary>
    private static readonly TimeSpan SavePause = TimeSpan.FromSeconds(1);
    private const int HelloUnits = 4000;

    /// <summary>Whether a stream is open and its first step applied.</summary>
    public bool IsCurrent { get; private set; }

    /// <summary>Addresses of endpoints that were taken out of use and still answer requests.</summary>
    public Func<IReadOnlySet<string>> Draining { get; init; } = () => ImmutableHashSet<string>.Empty;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var failures = 0;
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await FollowAsync(() => failures = 0, cancellationToken);
                Log.Ended(logger);
            }
            catch (Exception lost) when (lost is WebSocketException or IOException or HttpRequestException or TimeoutException or WireException or InvalidOperationException
                or OperationCanceledException && !cancellationToken.IsCancellationRequested)
            {
                if (failures == 0 || failures % 20 == 0)
                    Log.Lost(logger, lost.Message);
            }
            catch (OperationCanceledException)
            {
                return;
            }

            IsCurrent = false;
            var pause = FirstPause * Math.Pow(2, Math.Min(failures++, 10));
            await Task.Delay((pause < LongestPause ? pause : LongestPause) * (0.5 + random.NextDouble() / 2), time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task FollowAsync(Action worked, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(ConnectPatience, time);
        using var connecting = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
        using var socket = await connect(connecting.Token);
        var channel = new WireChannel(socket, time);
        await HelloAsync(channel, cancellationToken);
        using var saving = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var unsaved = new SemaphoreSlim(0, 1);
        var saver = SaveAsync(unsaved, saving.Token);
        using var drains = new DrainReports(channel, Draining, time);
        var reporting = drains.RunAsync(saving.Token);
        try
        {
            var step = new List<Delta>();
            while (await channel.ReceiveAsync(cancellationToken) is { } message)
            {
                step.Add(message as Delta ?? throw new WireException("the server sent something that is no delta"));
                if (step[^1].More)
                    continue;
                var before = state.Units;
                var ack = state.Apply(step);
                foreach (var rejection in ack.Rejected)
                    Log.Rejected(logger, rejection.Key, rejection.Path, rejection.Error);
                if (!IsCurrent)
                    Log.Current(logger, state.Units.Count);
                IsCurrent = true;
                worked();
                var isSaved = step.Exists(delta => IsOfAccess(delta, before)) && Save();
                await drains.AcknowledgeAsync(ack, cancellationToken);
                if (!isSaved && unsaved.CurrentCount == 0)
                    unsaved.Release();
                step = [];
            }
        }
        finally
        {
            await saving.CancelAsync();
            await saver;
            await reporting;
            unsaved.Dispose();
        }
    }

    private async Task HelloAsync(WireChannel channel, CancellationToken cancellationToken)
    {
        var chunks = state.Units.Values.Select(unit => new UnitState(unit.Key, unit.Hash)).Chunk(HelloUnits).ToList();
        if (chunks.Count == 0)
            chunks.Add([]);
        for (var i = 0; i < chunks.Count; i++)
            await channel.SendAsync(new Hello(WireLimits.Version, state.Epoch, [.. chunks[i]], More: i < chunks.Count - 1), cancellationToken);
    }

    private async Task SaveAsync(SemaphoreSlim unsaved, CancellationToken stopping)
    {
        while (true)
        {
            var stopped = false;
            try
            {
                await unsaved.WaitAsync(stopping);
            }
            catch (OperationCanceledException)
            {
                stopped = true;
                if (!await unsaved.WaitAsync(0, CancellationToken.None))
                    return;
            }

            Save();
            if (stopped)
                return;
            await Task.Delay(SavePause, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private bool Save()
    {
        try
        {
            file.Save(state);
            return true;
        }
        catch (Exception full) when (full is IOException or UnauthorizedAccessException)
        {
            Log.NotSaved(logger, full.Message); // it answers all the same; only a restart without the server would be poorer
            return false;
        }
    }

    // Policies and issuers, and workloads that were there: which policies are theirs, and whether plaintext reaches them. New and ended workloads come with every pod, and say nothing of others.
    private static bool IsOfAccess(Delta delta, ImmutableDictionary<UnitKey, ConfigUnit> before) =>
        delta.Upserts.Any(unit => IsRule(unit.Key) || (unit.Key.Kind == UnitKind.Workload && before.ContainsKey(unit.Key))) || delta.Removes.Any(IsRule);

    private static bool IsRule(UnitKey key) => key.Kind is UnitKind.Policy or UnitKind.Tokens;

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "the configuration is current: {Units} units")]
        public static partial void Current(ILogger logger, int units);

        [LoggerMessage(LogLevel.Warning, "the server is away, going on with the last configuration: {Reason}")]
        public static partial void Lost(ILogger logger, string reason);

        [LoggerMessage(LogLevel.Information, "the server closed the stream; asking for a new one")]
        public static partial void Ended(ILogger logger);

        [LoggerMessage(LogLevel.Error, "{Key} is not usable and keeps its old state: {Path} {Error}")]
        public static partial void Rejected(ILogger logger, UnitKey key, string path, string error);

        [LoggerMessage(LogLevel.Warning, "the configuration cannot be kept on disk: {Reason}")]
        public static partial void NotSaved(ILogger logger, string reason);
    }
}
