using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Batch;
using Weft.Api.Core;
using Weft.Client;
using Weft.Control.Runtime;

namespace Weft.Control.Workloads;

/// <summary>Carries out what <see cref="JobPlanner"/> finds.</summary>
internal sealed class JobController
{
    private readonly ControllerTools _tools;
    private readonly CachedResource<Job> _jobs;
    private readonly CachedResource<Pod> _pods;
    private readonly OwnedObjects<Pod> _owned;
    private readonly CacheIndex<Pod> _tracked;

    private JobController(ControllerTools tools)
    {
        _tools = tools;
        _jobs = tools.Resource<Job>();
        _pods = tools.Resource<Pod>();
        _owned = new OwnedObjects<Pod>(_pods);
        _tracked = _pods.Cache.AddIndex(static pod => JobPods.IsTracked(pod) && pod.Controller() is { Kind: "Job" } owner ? [$"{pod.Metadata.Namespace}/{owner.Name}"] : []);
    }

    public static IControllerLoop Create(ControllerTools tools)
    {
        var controller = new JobController(tools);
        var loop = tools.Loop<ObjectKey>(controller.ReconcileAsync, () => controller._jobs.Cache.All().Select(job => job.Key()));
        controller._jobs.Cache.Subscribe(change => loop.Queue.Add(change.Current.Key()));
        controller._pods.Cache.Subscribe(change =>
        {
            foreach (var pod in (Pod?[])[change.Old, change.New])
            {
                if (pod?.Controller() is { Kind: "Job" } owner)
                    loop.Queue.Add(new ObjectKey(pod.Metadata.Namespace ?? "", owner.Name));
            }
        });
        return loop;
    }

    private async Task<TimeSpan?> ReconcileAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        var job = _jobs.Cache.Find(key);
        // Pods of a job that is gone or goes are held by nothing any more.
        foreach (var pod in _tracked.Find($"{key.Namespace}/{key.Name}"))
        {
            if (job is null && await _jobs.FindLiveAsync(key, cancellationToken) is null || job is not null && (job.IsTerminating() || job.Metadata.Uid != pod.Controller()?.Uid))
                await UntrackAsync(pod, cancellationToken);
        }

        if (job is null || job.IsTerminating() || !string.IsNullOrEmpty(job.Spec.ManagedBy) && job.Spec.ManagedBy != "kubernetes.io/job-controller"
            || job.Spec.Selector?.Query() is not { IsEverything: false } selector)
            return null;
        var pods = await _owned.ClaimAsync(job, selector, stop => IsLiveAsync(job, stop), cancellationToken);
        var plan = JobPlanner.Plan(job, pods, _tools.Time.GetUtcNow());
        if (Patches.Status(job, job.Status, plan.Status) is { } patch)
            await _jobs.PatchStatusAsync(job, patch, cancellationToken);
        if (plan.News is { } news)
            _tools.Events.Record(job.Reference(), news.Type, news.Reason, news.Message);

        foreach (var pod in plan.Untrack)
            await UntrackAsync(pod, cancellationToken);
        foreach (var pod in plan.Stop)
        {
            await UntrackAsync(pod, cancellationToken); // first, so that its end is not taken for a failure
            if (await _pods.DeleteAsync(pod, cancellationToken))
                _tools.Events.Normal(job, "SuccessfulDelete", $"Deleted pod: {pod.Metadata.Name}");
        }

        await CreateAsync(job, plan.Create, cancellationToken);
        if (plan.Remove)
            await _jobs.DeleteAsync(job, cancellationToken, new Deletion { Propagation = PropagationPolicy.Foreground });
        return plan.LookAgainIn;
    }

    private async Task CreateAsync(Job job, IReadOnlyList<int?> indexes, CancellationToken cancellationToken)
    {
        var next = -1;
        var (_, failed) = await Batches.SlowStartAsync(indexes.Count, async () =>
        {
            var created = await _pods.CreateAsync(job.Metadata.Namespace ?? "", JobPods.New(job, indexes[Interlocked.Increment(ref next)]), cancellationToken);
            _tools.Events.Normal(job, "SuccessfulCreate", $"Created pod: {created.Metadata.Name}");
        });
        if (failed is null)
            return;
        _tools.Events.Warning(job, "FailedCreate", $"Error creating: {failed.Message}");
        throw failed;
    }

    private async Task UntrackAsync(Pod pod, CancellationToken cancellationToken)
    {
        if (!JobPods.IsTracked(pod))
            return;
        var patch = new JsonObject
        {
            ["metadata"] = new JsonObject { ["uid"] = pod.Metadata.Uid, ["$deleteFromPrimitiveList/finalizers"] = new JsonArray(JobPods.Finalizer) },
        };
        try
        {
            await _pods.PatchAsync(pod, Patch.Strategic(patch), cancellationToken);
        }
        catch (ApiStatusException gone) when (gone.IsNotFound)
        {
            // That is what was wanted.
        }
    }

    private async Task<bool> IsLiveAsync(Job job, CancellationToken cancellationToken) =>
        await _jobs.FindLiveAsync(job.Key(), cancellationToken) is { } live && live.Metadata.Uid == job.Metadata.Uid && !live.IsTerminating();
}
