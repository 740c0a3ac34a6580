using Weft.Api;
using Weft.Api.Core;
using Weft.Client;
using Weft.Control.Runtime;

namespace Weft.Control.Workloads;

/// <summary>Whom a change of a pod concerns: the set that owns it, before or after the change, and for a pod without an owner every set that might adopt it.</summary>
internal static class PodChanges
{
    /// <param name="ownerKind">The kind of the sets, as an owner reference names it.</param>
    /// <param name="mayAdopt">Whether a set of the pod's namespace selects it.</param>
    public static void Queue<TSet>(Change<Pod> change, WorkQueue<ObjectKey> queue, string ownerKind, ObjectCache<TSet> sets, Func<TSet, Pod, bool> mayAdopt)
        where TSet : class, IObject
    {
        foreach (var pod in (Pod?[])[change.Old, change.New])
        {
            if (pod?.Controller() is { } owner && owner.Kind == ownerKind)
                queue.Add(new ObjectKey(pod.Metadata.Namespace ?? "", owner.Name));
        }

        if (change.New is { } orphan && orphan.Controller() is null && !orphan.IsTerminating())
        {
            foreach (var set in sets.InNamespace(orphan.Metadata.Namespace ?? ""))
            {
                if (mayAdopt(set, orphan))
                    queue.Add(set.Key());
            }
        }
    }
}
