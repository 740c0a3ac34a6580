using Weft.Api;
using Weft.Api.Core;
using Weft.Client;
using Weft.Control.Runtime;
using Weft.Control.Workloads;

namespace Weft.Control.Storage;

/// <summary>Makes the claims of `ephemeral` volumes; each belongs to its pod and goes with it.</summary>
internal sealed class EphemeralClaimController
{
    private readonly ControllerTools _tools;
    private readonly CachedResource<PersistentVolumeClaim> _claims;
    private readonly ObjectCache<Pod> _pods;

    private EphemeralClaimController(ControllerTools tools)
    {
        _tools = tools;
        _claims = tools.Resource<PersistentVolumeClaim>();
        _pods = tools.Informers.Cache<Pod>();
    }

    public static IControllerLoop Create(ControllerTools tools)
    {
        var controller = new EphemeralClaimController(tools);
        var loop = tools.Loop<ObjectKey>(controller.ReconcileAsync, () => controller._pods.All().Where(HasEphemeral).Select(pod => pod.Key()), workers: 2);
        controller._pods.Subscribe(change =>
        {
            if (change is { Old: null, New: { } pod } && HasEphemeral(pod))
                loop.Queue.Add(pod.Key());
        });
        return loop;
    }

    private static bool HasEphemeral(Pod pod) => pod.Spec.Volumes.Any(volume => volume.Ephemeral is not null);

    private async Task<TimeSpan?> ReconcileAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        if (_pods.Find(key) is not { } pod || pod.IsTerminating() || pod.IsFinished())
            return null;
        foreach (var volume in pod.Spec.Volumes)
        {
            if (volume.Ephemeral?.VolumeClaimTemplate is not { } template)
                continue;
            var name = PodClaims.EphemeralName(pod, volume.Name);
            if (_claims.Cache.Find(new ObjectKey(key.Namespace, name)) is { } present)
            {
                if (present.Controller()?.Uid != pod.Metadata.Uid)
                    _tools.Events.Warning(pod, "FailedBinding", $"claim {name} exists already and does not belong to this pod: delete it, or rename the pod or volume");
                continue;
            }

            try
            {
                await _claims.CreateAsync(key.Namespace, new PersistentVolumeClaim
                {
                    Metadata = new ObjectMeta { Name = name, Labels = template.Metadata.Labels, Annotations = template.Metadata.Annotations, OwnerReferences = [pod.AsController()] },
                    Spec = template.Spec,
                }, cancellationToken);
            }
            catch (ApiStatusException there) when (there.IsAlreadyExists)
            {
                return TimeSpan.FromSeconds(1); // the watch is about to bring it
            }
        }

        return null;
    }
}
