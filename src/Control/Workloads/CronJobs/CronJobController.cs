using Weft.Api;
using Weft.Api.Batch;
using Weft.Client;
using Weft.Control.Runtime;

namespace Weft.Control.Workloads;

/// <summary>Carries out what <see cref="CronJobPlanner"/> finds.</summary>
internal sealed class CronJobController
{
    private readonly ControllerTools _tools;
    private readonly CachedResource<CronJob> _crons;
    private readonly CachedResource<Job> _jobs;
    private readonly OwnedObjects<Job> _owned;

    private CronJobController(ControllerTools tools)
    {
        _tools = tools;
        _crons = tools.Resource<CronJob>();
        _jobs = tools.Resource<Job>();
        _owned = new OwnedObjects<Job>(_jobs);
    }

    public static IControllerLoop Create(ControllerTools tools)
    {
        var controller = new CronJobController(tools);
        var loop = tools.Loop<ObjectKey>(controller.ReconcileAsync, () => controller._crons.Cache.All().Select(cron => cron.Key()));
        controller._crons.Cache.Subscribe(change => loop.Queue.Add(change.Current.Key()));
        controller._jobs.Cache.Subscribe(change =>
        {
            if (change.Current.Controller() is { Kind: "CronJob" } owner)
                loop.Queue.Add(new ObjectKey(change.Current.Metadata.Namespace ?? "", owner.Name));
        });
        return loop;
    }

    private async Task<TimeSpan?> ReconcileAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        if (_crons.Cache.Find(key) is not { } cron)
            return null;
        var jobs = _owned.ReferringTo(cron.Metadata.Uid ?? "");
        var plan = CronJobPlanner.Plan(cron, jobs, _tools.Time.GetUtcNow(), _tools.Time.LocalTimeZone);
        if (plan.News is { } news)
            _tools.Events.Record(cron.Reference(), news.Type, news.Reason, news.Message);
        foreach (var old in plan.Forget.Concat(plan.Replace))
        {
            if (await _jobs.DeleteAsync(old, cancellationToken, new Deletion { Propagation = PropagationPolicy.Background }))
                _tools.Events.Normal(cron, "SuccessfulDelete", $"Deleted job {old.Metadata.Name}");
        }

        var status = plan.Status;
        if (plan.Create is { } job)
        {
            try
            {
                var created = await _jobs.CreateAsync(key.Namespace, job, cancellationToken);
                _tools.Events.Normal(cron, "SuccessfulCreate", $"Created job {created.Metadata.Name}");
                status = status with { Active = [.. status.Active.Where(one => plan.Replace.All(old => old.Metadata.Uid != one.Uid)), created.Reference()] };
            }
            catch (ApiStatusException there) when (there.IsAlreadyExists)
            {
                // Made before the status could be written.
            }
            catch (ApiStatusException refused) when (!refused.IsNamespaceTerminating)
            {
                _tools.Events.Warning(cron, "FailedCreate", $"Error creating job: {refused.Message}");
                throw;
            }
        }

        if (Patches.Status(cron, cron.Status, status) is { } patch)
            await _crons.PatchStatusAsync(cron, patch, cancellationToken);
        return plan.LookAgainIn;
    }
}
