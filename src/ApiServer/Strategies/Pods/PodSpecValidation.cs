using Weft.Api;

namespace Weft.ApiServer.Strategies.Pods;

/// <summary>The rules of a pod spec, for pods and for templates.</summary>
internal static class PodSpecValidation
{
    /// <param name="moreVolumes">Names of volumes that each pod is given besides those of the spec.</param>
    public static IEnumerable<FieldError> Validate(Field spec, IEnumerable<string>? moreVolumes = null) =>
        VolumeValidation.Validate(spec["volumes"])
            .Concat(ContainerValidation.Validate(spec, moreVolumes ?? []))
            .Concat(PlacementValidation.Validate(spec))
            .Concat(SecurityValidation.Pod(spec["securityContext"]))
            .Concat(Names(spec))
            .Concat(Numbers(spec))
            .Concat(Dns(spec))
            .Concat(Combinations(spec));

    /// <summary>The template of a workload, whose pods must go on forever.</summary>
    public static IEnumerable<FieldError> Template(Field template, IEnumerable<string>? moreVolumes = null)
    {
        var spec = template["spec"];
        foreach (var error in ObjectMetaValidation.Labels(template["metadata"]["labels"])
            .Concat(ObjectMetaValidation.Annotations(template["metadata"]["annotations"]))
            .Concat(Validate(spec, moreVolumes)))
            yield return error;
        if (spec["restartPolicy"].Text is { } restart && restart is "Never" or "OnFailure")
            yield return spec["restartPolicy"].Unsupported(["Always"]);
        if (spec["activeDeadlineSeconds"].Exists)
            yield return spec["activeDeadlineSeconds"].Forbidden("activeDeadlineSeconds is not supported in a template whose pods are always replaced");
        if (spec["ephemeralContainers"].Count > 0)
            yield return spec["ephemeralContainers"].Forbidden("ephemeral containers not allowed in pod template");
    }

    private static IEnumerable<FieldError> Names(Field spec) =>
        Rules.Optional(spec["serviceAccountName"], NameRules.DnsSubdomain)
            .Concat(Rules.Optional(spec["nodeName"], NameRules.DnsSubdomain))
            .Concat(Rules.Optional(spec["hostname"], NameRules.DnsLabel))
            .Concat(Rules.Optional(spec["subdomain"], NameRules.DnsLabel))
            .Concat(Rules.Optional(spec["priorityClassName"], NameRules.DnsSubdomain))
            .Concat(Rules.Optional(spec["runtimeClassName"], NameRules.DnsSubdomain))
            .Concat(ObjectMetaValidation.Labels(spec["nodeSelector"]))
            .Concat(spec["hostAliases"].Each(alias => Rules.Address(alias["ip"]).Concat(alias["hostnames"].Each(name => Rules.Named(name, NameRules.DnsSubdomain)))))
            .Concat(spec["readinessGates"].Each(gate => Rules.Named(gate["conditionType"], NameRules.QualifiedName)))
            .Concat(spec["schedulingGates"].Each(gate => Rules.Named(gate["name"], NameRules.QualifiedName)))
            .Concat(Rules.Unique(spec["schedulingGates"], "name"))
            .Concat(Rules.Unique(spec["resourceClaims"], "name"))
            .Concat(spec["overhead"].Entries.SelectMany(entry => Rules.Quantity(entry.Field)));

    private static IEnumerable<FieldError> Numbers(Field spec) =>
        Rules.AtLeastZero(spec["terminationGracePeriodSeconds"])
            .Concat(Rules.Between(spec["activeDeadlineSeconds"], 1, int.MaxValue));

    private static IEnumerable<FieldError> Dns(Field spec)
    {
        var config = spec["dnsConfig"];
        if (spec["dnsPolicy"].Text == "None" && config["nameservers"].Count == 0)
            yield return config["nameservers"].Required("must provide at least one DNS nameserver when `dnsPolicy` is None");

        // Limits of the C library's resolver, widened by Kubernetes for search domains.
        if (config["nameservers"].Count > 3)
            yield return config["nameservers"].Invalid("must not have more than 3 nameservers");
        if (config["searches"].Count > 32)
            yield return config["searches"].Invalid("must not have more than 32 search paths");
        foreach (var error in config["nameservers"].Each(Rules.Address)
            .Concat(config["searches"].Each(search => search.Text == "." ? [] : Rules.Named(search, text => NameRules.DnsSubdomain(text.TrimEnd('.'))))))
            yield return error;
        foreach (var option in config["options"].Items)
        {
            if (option["name"].TextOrEmpty.Length == 0)
                yield return option["name"].Required();
        }
    }

    private static IEnumerable<FieldError> Combinations(Field spec)
    {
        if (spec["hostPID"].IsTrue && spec["shareProcessNamespace"].IsTrue)
            yield return spec["shareProcessNamespace"].Invalid("ShareProcessNamespace and HostPID cannot both be enabled");
        if (spec["hostUsers"].Flag != false)
            yield break;
        foreach (var name in (string[])["hostNetwork", "hostPID", "hostIPC"])
        {
            if (spec[name].IsTrue)
                yield return spec[name].Forbidden("when `hostUsers` is false");
        }
    }
}
