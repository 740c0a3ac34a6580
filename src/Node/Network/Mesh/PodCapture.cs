using Microsoft.Extensions.Logging;
using Weft.Node.Network.Services;

namespace Weft.Node.Network.Mesh;

/// <summary>Whose TCP is captured on this node, in the kernel. The rules stay when the agent stops, as pods do.</summary>
internal sealed partial class PodCapture : IAsyncDisposable
{
    // As often as services look for their rules: a restart of nftables.service flushes the machine's.
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(10);

    private readonly ICaptureKernel _kernel;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly SemaphoreSlim _alone = new(1, 1);
    private readonly Dictionary<string, string> _owners = [];   // by address: the uid of its pod, as it is to be
    private readonly CancellationTokenSource _stop = new();
    private Task _looking = Task.CompletedTask;

    // A change began and its end was not seen: what the kernel has is not known, and only all anew is sure.
    private volatile bool _isUnsure;

    private PodCapture(ICaptureKernel kernel, TimeProvider time, ILogger logger) => (_kernel, _time, _logger) = (kernel, time, logger);

    /// <summary>Returns when exactly these pods are captured. Those that were before are so in between, too.</summary>
    /// <param name="kernel">Goes with this.</param>
    /// <exception cref="IOException">nft or ip is missing or refused.</exception>
    public static async Task<PodCapture> StartAsync(ICaptureKernel kernel, IEnumerable<MeshedPod> pods, TimeProvider time, ILogger logger, CancellationToken cancellationToken)
    {
        var capture = new PodCapture(kernel, time, logger);
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

    /// <summary>These, and no other, are the addresses of the pod. Returns when that is in force; after a failure the next call, for whatever pod, makes all anew.</summary>
    /// <exception cref="IOException">The kernel refused.</exception>
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
            if (_isUnsure)
            {
                await SetAllAsync(cancellationToken);
                return;
            }
            if (added.Count + removed.Count == 0)
                return;
            _isUnsure = true;
            try
            {
                await _kernel.ChangeAsync(added, removed, cancellationToken);
                _isUnsure = false;
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

    private async Task SetAllAsync(CancellationToken cancellationToken)
    {
        _isUnsure = true;
        await _kernel.SetAllAsync([.. _owners.Keys], cancellationToken);
        _isUnsure = false;
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

    /// <summary>Makes the rules and the route again if somebody took them away, or if it is not known what is there.</summary>
    internal async Task RestoreAsync(CancellationToken cancellationToken)
    {
        if (await _kernel.StandsAsync(cancellationToken))
        {
            if (!_isUnsure)
                return;
        }
        else
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
