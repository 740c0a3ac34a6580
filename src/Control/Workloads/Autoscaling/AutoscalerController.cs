using System.Collections.Concurrent;
using Weft.Api;
using Weft.Api.Autoscaling;
using Weft.Api.Core;
using Weft.Api.Selectors;
using Weft.Client;
using Weft.Control.Runtime;

namespace Weft.Control.Workloads;

/// <summary>Looks at each autoscaler every 15 s, and changes the number of copies of its workload.</summary>
internal sealed class AutoscalerController
{
    // --horizontal-pod-autoscaler-sync-period.
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(15);

    private readonly ControllerTools _tools;
    private readonly CachedResource<HorizontalPodAutoscaler> _autoscalers;
    private readonly ObjectCache<Pod> _pods;
    private readonly ScaleTargets _targets;
    private readonly MetricSources _metrics;
    private readonly ConcurrentDictionary<ObjectKey, (string? Uid, AutoscalerHistory History)> _memory = new();
    private readonly AutoscaledPods _counted = new();

    private AutoscalerController(ControllerTools tools, IOtherMetrics other)
    {
        _tools = tools;
        _autoscalers = tools.Resource<HorizontalPodAutoscaler>();
        _pods = tools.Informers.Cache<Pod>();
        _targets = new ScaleTargets(tools.Client);
        _metrics = new MetricSources(tools.Client, other);
    }

    public static IControllerLoop Create(ControllerTools tools)
    {
        var controller = new AutoscalerController(tools, new CustomMetrics(tools.Client));
        var loop = tools.Loop<ObjectKey>(controller.ReconcileAsync, () => controller._autoscalers.Cache.All().Select(autoscaler => autoscaler.Key()));
        controller._autoscalers.Cache.Subscribe(change =>
        {
            // Not for its own writes of the status: figures change all the time, the period says when to look.
            if (change.Old?.Metadata.Generation != change.New?.Metadata.Generation)
                loop.Queue.Add(change.Current.Key());
        });
        return loop;
    }

    private async Task<TimeSpan?> ReconcileAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        if (_autoscalers.Cache.Find(key) is not { } autoscaler || autoscaler.IsTerminating())
        {
            _memory.TryRemove(key, out _);
            _counted.Forget(key);
            return null;
        }

        var history = _memory.TryGetValue(key, out var known) && known.Uid == autoscaler.Metadata.Uid ? known.History : AutoscalerHistory.Empty;
        var plan = await CarryOutAsync(autoscaler, history, cancellationToken);
        _memory[key] = (autoscaler.Metadata.Uid, plan.History);
        foreach (var told in plan.Events)
        {
            if (told.IsWarning)
                _tools.Events.Warning(autoscaler, told.Reason, told.Message);
            else
                _tools.Events.Normal(autoscaler, told.Reason, told.Message);
        }
        if (Patches.Status(autoscaler, autoscaler.Status, plan.Status) is { } patch)
            await _autoscalers.PatchStatusAsync(autoscaler, patch, cancellationToken);
        return Period;
    }

    private async Task<AutoscalingPlan> CarryOutAsync(HorizontalPodAutoscaler autoscaler, AutoscalerHistory history, CancellationToken cancellationToken)
    {
        ScaleTargets.Found target;
        var @namespace = autoscaler.Metadata.Namespace ?? "";
        try
        {
            target = await _targets.FindAsync(@namespace, autoscaler.Spec.ScaleTargetRef, cancellationToken);
        }
        catch (ScaleException failed)
        {
            return AutoscalingPlanner.WithoutScale(autoscaler, failed.Message, history, _tools.Time.GetUtcNow());
        }

        var scale = target.View;
        var (pods, selector) = Select(autoscaler, scale.Selector);
        var others = _counted.Others(autoscaler, pods, _autoscalers.Cache.InNamespace(@namespace));
        IReadOnlyList<MetricReading> readings = selector.Length > 0 && others.Count == 0 ? await _metrics.ReadAsync(@namespace, autoscaler.Spec.Metrics, selector, cancellationToken) : [];
        var inputs = new AutoscalerInputs(autoscaler, scale with { Selector = selector }, pods, readings, history) { Others = others };
        var plan = AutoscalingPlanner.Plan(inputs, _tools.Time.GetUtcNow());
        if (plan.ScaleTo is not { } replicas)
            return plan;
        try
        {
            await target.SetAsync(replicas, cancellationToken);
            return plan;
        }
        catch (ApiStatusException refused) when (!refused.IsConflict)
        {
            return AutoscalingPlanner.Refused(plan, inputs, refused.Message, _tools.Time.GetUtcNow());
        }
    }

    // A custom kind may write anything where its selector should be: what is none selects nothing.
    private (IReadOnlyList<Pod> Pods, string Selector) Select(HorizontalPodAutoscaler autoscaler, string text)
    {
        try
        {
            var selector = LabelQuery.Parse(text);
            if (text.Length == 0)
            {
                _counted.Forget(autoscaler.Key());
                return ([], "");
            }
            _counted.Remember(autoscaler, selector);
            return ([.. _pods.InNamespace(autoscaler.Metadata.Namespace ?? "").Where(pod => selector.Matches(pod.Metadata.Labels))], text);
        }
        catch (SelectorException)
        {
            _counted.Forget(autoscaler.Key());
            return ([], "");
        }
    }
}
