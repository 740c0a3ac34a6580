using Microsoft.Extensions.Logging;
using Weft.Node.Network.Nftables;
using Weft.Node.Network.Services;

namespace Weft.Node.Network.Mesh;

/// <summary>Whose TCP is captured on this node, in the kernel. The rules stay when the agent stops, as pods do.</summary>
internal sealed partial class PodCapture : IAsyncDisposable
{
    // As often as services look for their rules: a restart of nftables.service flushes the machine's.
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(10);

    private readonly ServiceNetwork _network;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly SemaphoreSlim _alone = new(1, 1);
    private readonly Dictionary<string, string> _owners = [];   // by address: the uid of its pod
    private readonly NftTransactions _kernel = new(CaptureRules.TypeOf);
    private readonly CancellationTokenSource _stop = new();
    private Task _looking = Task.CompletedTask;

    private PodCapture(ServiceNetwork network, TimeProvider time, ILogger logger) => (_network, _time, _logger) = (network, time, logger);

    /// <summary>Returns when exactly these pods are captured. Those that were before are so in between, too.</summary>
    /// <exception cref="IOException">nft or ip is missing or refused.</exception>
    public static async Task<PodCapture> StartAsync(ServiceNetwork network, IEnumerable<MeshedPod> pods, TimeProvider time, ILogger logger, CancellationToken cancellationToken)
    {
        var capture = new PodCapture(network, time, logger);
        foreach (var pod in pods)
        {
            foreach (var address in pod.Addresses)
                capture._owners[address] = pod.Uid;
        }
        await capture.SetAllAsync(cancellationToken);
        capture._looking = capture.LookAsync();
        return capture;
    }

    /// <summary>Nothing is captured on this node.</summary>
    public static async Task NoneAsync(ServiceNetwork network, CancellationToken cancellationToken)
    {
        await Nft.RunAsync(CaptureRules.None(network), cancellationToken);
        await CaptureRoutes.RemoveAsync(network.ClusterCidr, cancellationToken);
    }

    /// <summary>These, and no other, are the addresses of the pod. Returns when that is in force.</summary>
    public async Task SetAsync(string uid, IReadOnlyCollection<string> addresses, CancellationToken cancellationToken)
    {
        await _alone.WaitAsync(cancellationToken);
        try
        {
            // An address that another pod had: its end was not seen, and it is the new pod's now.
            List<string> added = [.. addresses.Where(address => !_owners.ContainsKey(address))];
            List<string> removed = [.. _owners.Where(owner => owner.Value == uid && !addresses.Contains(owner.Key)).Select(owner => owner.Key)];
            foreach (var address in addresses)
                _owners[address] = uid;
            foreach (var address in removed)
                _owners.Remove(address);
            if (added.Count + removed.Count == 0)
                return;
            try
            {
                await _kernel.ApplyAsync(CaptureRules.Add(_network, added) + CaptureRules.Remove(_network, removed), cancellationToken);
            }
            catch (IOException refused)
            {
                // Somebody else was at the table: all anew.
                Log.ChangeRefused(_logger, refused.Message);
                await SetAllAsync(cancellationToken);
            }
        }
        finally
        {
            _alone.Release();
        }
    }

    public Task RemoveAsync(string uid, CancellationToken cancellationToken) => SetAsync(uid, [], cancellationToken);

    // The way to the proxy first: what is captured without it would be dropped.
    private async Task SetAllAsync(CancellationToken cancellationToken)
    {
        await CaptureRoutes.EnsureAsync(_network.ClusterCidr, cancellationToken);
        await Nft.RunAsync(CaptureRules.Whole(_network, _owners.Keys), cancellationToken);
    }

    private async Task LookAsync()
    {
        using var timer = new PeriodicTimer(LookEvery, _time);
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token))
            {
                try
                {
                    await RestoreAsync(_stop.Token);
                }
                catch (IOException refused)
                {
                    Log.NotRestored(_logger, refused.Message);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The agent stops.
        }
    }

    /// <summary>Makes the rules and the route again if somebody took them away.</summary>
    internal async Task RestoreAsync(CancellationToken cancellationToken)
    {
        await CaptureRoutes.EnsureAsync(_network.ClusterCidr, cancellationToken);
        try
        {
            await Nft.ReadAsync(["list", "chain", "ip", NodeFirewall.TableName(_network.ClusterName), CaptureRules.Sign], "", cancellationToken);
            return;
        }
        catch (IOException)
        {
            Log.Restoring(_logger);
        }
        await _alone.WaitAsync(cancellationToken);
        try
        {
            await SetAllAsync(cancellationToken);
        }
        finally
        {
            _alone.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _looking;
        _kernel.Dispose();
        _alone.Dispose();
        _stop.Dispose();
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "A change of the capture's rules was refused, all are made anew: {Cause}", EventName = nameof(ChangeRefused))]
        public static partial void ChangeRefused(ILogger logger, string cause);

        [LoggerMessage(LogLevel.Warning, "The rules that capture meshed pods' connections are gone from the kernel, and are made anew", EventName = nameof(Restoring))]
        public static partial void Restoring(ILogger logger);

        [LoggerMessage(LogLevel.Error, "The rules that capture meshed pods' connections could not be looked at or made again: {Cause}", EventName = nameof(NotRestored))]
        public static partial void NotRestored(ILogger logger, string cause);
    }
}
