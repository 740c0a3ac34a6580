using System.Text.Json.Nodes;
using Weft.Api;

namespace Weft.ApiServer.Strategies.Pods;

/// <summary>What may change in the spec of a pod that exists.</summary>
internal static class PodUpdate
{
    private const string Rule =
        "pod updates may not change fields other than `spec.containers[*].image`, `spec.initContainers[*].image`, `spec.activeDeadlineSeconds`, "
        + "`spec.tolerations` (only additions to existing tolerations), `spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

    public static IEnumerable<FieldError> Validate(Field spec, Field old, string subresource)
    {
        foreach (var error in Deadline(spec["activeDeadlineSeconds"], old["activeDeadlineSeconds"])
            .Concat(Tolerations(spec["tolerations"], old["tolerations"]))
            .Concat(Gates(spec["schedulingGates"], old["schedulingGates"])))
            yield return error;
        foreach (var list in (string[])["containers", "initContainers"])
        {
            if (spec[list].Count != old[list].Count)
            {
                yield return spec[list].Forbidden("pod updates may not add or remove containers");
                yield break;
            }
        }

        if (spec.Value is not JsonObject tree || old.Value is not JsonObject before)
            yield break;
        var allowed = tree.DeepClone().AsObject();
        foreach (var name in (string[])["activeDeadlineSeconds", "tolerations", "schedulingGates"])
            allowed.TakeFrom(before, name);
        if (old["terminationGracePeriodSeconds"].Number < 0 && spec["terminationGracePeriodSeconds"].Number == 1)
            allowed.TakeFrom(before, "terminationGracePeriodSeconds");
        if (old["schedulingGates"].Count > 0)
            KeepLooserPlacement(allowed, before);
        if (subresource == "binding" && old["nodeName"].TextOrEmpty.Length == 0)
            allowed.TakeFrom(before, "nodeName");
        foreach (var list in (string[])["containers", "initContainers"])
        {
            foreach (var (container, was) in allowed.Objects(list).Zip(before.Objects(list)))
                container.TakeFrom(was, "image");
        }
        if (!allowed.SameAs(before))
            yield return spec.Forbidden(Rule);
    }

    /// <summary>Ephemeral containers can be added, never changed or taken away.</summary>
    public static IEnumerable<FieldError> EphemeralContainers(Field list, Field old)
    {
        foreach (var before in old.Items)
        {
            var now = list.Items.Where(item => item["name"].Text == before["name"].Text).Take(1).ToList();
            if (now.Count == 0)
                yield return list.Forbidden($"existing ephemeral containers {before["name"].Shown} may not be removed");
            else if (!now[0].Value.SameAs(before.Value))
                yield return list.Forbidden($"existing ephemeral containers {before["name"].Shown} may not be changed");
        }
    }

    private static IEnumerable<FieldError> Deadline(Field deadline, Field old)
    {
        if (!old.Exists)
            yield break;
        if (!deadline.Exists)
            yield return deadline.Invalid("must not update from a positive integer to nil value");
        else if (deadline.Number > old.Number)
            yield return deadline.Invalid("must be less than or equal to previous value");
    }

    private static IEnumerable<FieldError> Tolerations(Field tolerations, Field old)
    {
        // The time of a toleration may change, the rest may not.
        static JsonNode? Fixed(Field toleration)
        {
            var copy = toleration.Value?.DeepClone() as JsonObject;
            copy?.Remove("tolerationSeconds");
            return copy;
        }

        var now = tolerations.Items.Select(Fixed).ToList();
        if (old.Items.Select(Fixed).Any(before => !now.Any(item => item.SameAs(before))))
            yield return tolerations.Forbidden("existing toleration can not be modified except its tolerationSeconds");
    }

    private static IEnumerable<FieldError> Gates(Field gates, Field old)
    {
        var known = old.Items.Select(gate => gate["name"].Text).ToHashSet();
        foreach (var gate in gates.Items)
        {
            if (!known.Contains(gate["name"].Text))
                yield return gate.Forbidden($"only deletion is allowed, but found new scheduling gate '{gate["name"].Text}'");
        }
    }

    // While gates hold a pod back its placement may be narrowed: more node labels, required node affinity where there was none.
    private static void KeepLooserPlacement(JsonObject spec, JsonObject old)
    {
        var labels = old.Object("nodeSelector");
        if (labels is null || labels.All(label => spec.Object("nodeSelector")?[label.Key].SameAs(label.Value) == true))
            spec.TakeFrom(old, "nodeSelector");
        if (old["affinity"] is null)
            spec.Remove("affinity");
    }
}
