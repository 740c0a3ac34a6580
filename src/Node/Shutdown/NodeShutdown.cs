using System.Collections.Immutable;
using Weft.Api.Core;
using Weft.Api.Shutdown;
using Weft.Node.Pods;

namespace Weft.Node.Shutdown;

/// <summary>What a shutdown works on.</summary>
/// <param name="Begin">Tells the cluster that the node is going, and lets no new pod in.</param>
internal sealed record ShutdownParts(Func<CancellationToken, Task> Begin, Func<IReadOnlyList<Pod>> Pods, Func<string, PodWorker?> Find);

/// <summary>Ends the node's pods because the machine goes down: group by group, each within its period. Kubernetes' words, which clients read.</summary>
internal sealed class NodeShutdown(ShutdownParts parts, TimeProvider time)
{
    public const string Reason = "Terminated";
    public const string Message = "Pod was terminated in response to imminent node shutdown.";

    // Containers that do not hear are killed when the period ends; that they are gone is seen a moment later, and before the next group begins to end.
    private static readonly TimeSpan AfterKill = TimeSpan.FromSeconds(1);

    public async Task RunAsync(ImmutableArray<PriorityPeriod> periods, Func<string, Task> say, CancellationToken cancellationToken)
    {
        await parts.Begin(cancellationToken);
        foreach (var group in ShutdownPlanner.Plan(parts.Pods(), periods))
        {
            await say(FormattableString.Invariant($"ending {group.Pods.Length} pods, {group.Period.TotalSeconds:0.#} s at most"));
            var ends = new List<Task>();
            foreach (var pod in group.Pods)
            {
                if (parts.Find(pod.Uid) is not { } worker)
                    continue;   // deleted meanwhile
                // One that is being deleted has its end already, and no other reason for it.
                if (worker.Pod.Metadata.DeletionTimestamp is null)
                    worker.End(Reason, Message, pod.Grace);
                ends.Add(worker.Quiet);
            }
            await EndedAsync(ends, group.Period + AfterKill, cancellationToken);
            if (ends.Count(e => !e.IsCompleted) is var left and > 0)
                await say($"{left} pods have not ended in their time");
        }
    }

    private async Task EndedAsync(List<Task> ends, TimeSpan limit, CancellationToken cancellationToken)
    {
        try
        {
            await Task.WhenAll(ends).WaitAsync(limit, time, cancellationToken);
        }
        catch (TimeoutException)
        {
            // The next group's time begins.
        }
    }
}
