using Microsoft.Extensions.Logging;
using Weft.Api;
using Weft.Api.Core;
using Weft.Api.Networking;
using Weft.Client;
using Weft.Node.Network.Nftables;

namespace Weft.Node.Network.Policies;

/// <summary>
/// Keeps the kernel's rules in step with the NetworkPolicies, for the pods of this node. Pods of all nodes are watched only when there is a policy at all.
/// </summary>
internal sealed partial class PolicyEnforcer : IAsyncDisposable
{
    private const string Key = "policies";
    // A policy that is not in force is nothing to wait long with.
    private static readonly Backoff Again = new(TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(5));

    private readonly CancellationTokenSource _stop = new();
    private readonly string _cluster;
    private readonly string _node;
    private readonly bool _hasTunnels;
    private readonly Informer<NetworkPolicy> _policies;
    private readonly Informer<Pod> _pods;
    private readonly Informer<Namespace> _namespaces;
    private readonly WorkQueue<string> _queue;
    private readonly ILogger _logger;
    private readonly NftTransactions _kernel = new(PolicyScript.TypeOf);
    private Task _running = Task.CompletedTask;
    private Task? _watching;
    private PolicyModel? _applied; // null: what the kernel holds is not known

    private PolicyEnforcer(string cluster, string node, bool hasTunnels, KubeClient client, TimeProvider time, Random random, Action<ApiResource, Exception> onError, ILogger logger)
    {
        (_cluster, _node, _hasTunnels, _logger) = (cluster, node, hasTunnels, logger);
        _policies = new Informer<NetworkPolicy>(client.For<NetworkPolicy>(), time, random, onError);
        _pods = new Informer<Pod>(client.For<Pod>(), time, random, onError);
        _namespaces = new Informer<Namespace>(client.For<Namespace>(), time, random, onError);
        _queue = new WorkQueue<string>(time, random, Again);
    }

    /// <summary>Returns when the policies that there are now are in force.</summary>
    /// <param name="hasTunnels">As <see cref="PolicyInputs.HasTunnels"/>.</param>
    public static async Task<PolicyEnforcer> StartAsync(
        string cluster, string node, bool hasTunnels, KubeClient client, TimeProvider time, Random random, Action<ApiResource, Exception> onError, ILogger logger, CancellationToken cancellationToken)
    {
        var enforcer = new PolicyEnforcer(cluster, node, hasTunnels, client, time, random, onError, logger);
        enforcer._policies.Cache.Subscribe(_ => enforcer._queue.Add(Key));
        enforcer._pods.Cache.Subscribe(change =>
        {
            if (change.Old is null || change.New is null || Matters(change.Old) != Matters(change.New))
                enforcer._queue.Add(Key);
        });
        enforcer._namespaces.Cache.Subscribe(_ => enforcer._queue.Add(Key));
        var watching = enforcer._policies.RunAsync(enforcer._stop.Token);
        try
        {
            await enforcer._policies.Synced.WaitAsync(cancellationToken);
            await enforcer.ApplyAsync(cancellationToken);
            enforcer._running = Task.WhenAll(watching, enforcer._queue.WorkAsync((_, stopping) => enforcer.ApplyAsync(stopping), enforcer.Failed, enforcer._stop.Token)); // when the agent stops, the rules stay in force
            return enforcer;
        }
        catch
        {
            enforcer._running = watching;
            await enforcer.DisposeAsync();
            throw;
        }
    }

    // What of a pod its rules are made of; its status changes more often than that.
    private static string Matters(Pod pod) =>
        $"{pod.Status.PodIP}|{pod.Status.Phase}|{pod.Spec.NodeName}|{string.Join(',', pod.Metadata.Labels.OrderBy(label => label.Key, StringComparer.Ordinal).Select(label => $"{label.Key}={label.Value}"))}";

    private async Task ApplyAsync(CancellationToken cancellationToken)
    {
        if (_policies.Cache.Count > 0 && _watching is null)
        {
            _watching = Task.WhenAll(_pods.RunAsync(_stop.Token), _namespaces.RunAsync(_stop.Token));
            await Task.WhenAll(_pods.Synced, _namespaces.Synced).WaitAsync(cancellationToken);
        }

        var model = PolicyCompiler.Compile(new PolicyInputs(_policies.Cache.All(), _pods.Cache.All(), _namespaces.Cache.All(), _node) { HasTunnels = _hasTunnels });
        if (_applied is { } before)
        {
            var change = PolicyScript.Change(_cluster, before, model);
            if (change.Length == 0)
                return;
            try
            {
                await _kernel.ApplyAsync(change, cancellationToken);
                _applied = model;
                return;
            }
            catch (IOException refused)
            {
                _applied = null; // somebody else was at the table: everything anew
                Log.ChangeRefused(_logger, refused.Message);
            }
        }

        await Nft.RunAsync(PolicyScript.Full(_cluster, model));
        _applied = model;
    }

    private void Failed(string key, Exception failure, TimeSpan delay)
    {
        if (failure is IOException)
            Log.NotApplied(_logger, delay.TotalSeconds, failure.Message);
        else
            Log.Broke(_logger, failure, delay.TotalSeconds);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        if (_watching is not null)
            await _watching;
        _kernel.Dispose();
        _queue.Dispose();
        _stop.Dispose();
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "A change of the network policies' rules was refused, all are made anew: {Cause}", EventName = nameof(ChangeRefused))]
        public static partial void ChangeRefused(ILogger logger, string cause);

        [LoggerMessage(LogLevel.Error, "The network policies' rules are not in force, and are tried again in {Seconds:0.0} s: {Cause}", EventName = nameof(NotApplied))]
        public static partial void NotApplied(ILogger logger, double seconds, string cause);

        [LoggerMessage(LogLevel.Error, "The network policies' rules could not be made, those before stay in force; again in {Seconds:0.0} s", EventName = nameof(Broke))]
        public static partial void Broke(ILogger logger, Exception exception, double seconds);
    }
}
