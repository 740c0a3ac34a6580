using System.Text.Json.Nodes;
using Weft.Api.Trees;
using Weft.ApiServer.Http;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Admission;

/// <summary>Works out a pod's priority from its class, or from the class that is the default.</summary>
internal sealed class PriorityAdmission(StoredObjects objects) : IAdmission
{
    private const string Group = "scheduling.k8s.io";

    public string Name => "Priority";

    public async ValueTask MutateAsync(AdmissionRequest request, CancellationToken cancellationToken)
    {
        if (PodAdmission.NewPodSpec(request) is not { } spec)
            return;

        var name = Metadata.Text(spec, "priorityClassName");
        var found = name.Length > 0
            ? objects.Get(Group, "priorityclasses", "", name) ?? throw PodAdmission.Refuse(request, $"no PriorityClass with name {name} was found")
            : await FindDefaultAsync(cancellationToken);
        var priority = found?["value"].AsInteger() ?? 0;
        if (spec["priority"].AsInteger() is { } stated && stated != priority)
        {
            throw PodAdmission.Refuse(request,
                $"the integer value of priority ({stated}) must not be provided in pod spec; priority admission controller computed {priority} from the given PriorityClass name");
        }

        var policy = found?["preemptionPolicy"].AsText() ?? "PreemptLowerPriority";
        if (spec["preemptionPolicy"].AsText() is { } wanted && wanted != policy)
            throw PodAdmission.Refuse(request, $"the string value of PreemptionPolicy ({wanted}) must not be provided in pod spec; priority admission controller computed {policy} from the given PriorityClass name");
        spec["priority"] = priority;
        spec["preemptionPolicy"] = policy;
        if (name.Length == 0 && found is not null)
            spec["priorityClassName"] = Metadata.Name(found);
    }

    public async ValueTask ValidateAsync(AdmissionRequest request, CancellationToken cancellationToken)
    {
        if (request.Resource is not { Group: Group, Resource: "priorityclasses" } || request.Object?["globalDefault"].AsBoolean() != true)
            return;
        if (await FindDefaultAsync(cancellationToken) is { } other && Metadata.Name(other) != request.Name)
            throw Statuses.Forbidden(request.Resource, request.Name, $"PriorityClass {Metadata.Name(other)} is already marked as default. Only one default can exist");
    }

    private async ValueTask<JsonObject?> FindDefaultAsync(CancellationToken cancellationToken)
    {
        var (classes, _) = await objects.ListAsync(Group, "priorityclasses", "", cancellationToken);
        // Two defaults can exist when two servers made them at once: the lower one counts, as in Kubernetes.
        return classes.Where(item => item["globalDefault"].AsBoolean() == true).MinBy(item => item["value"].AsInteger() ?? 0);
    }
}
