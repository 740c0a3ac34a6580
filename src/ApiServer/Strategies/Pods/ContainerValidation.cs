using Weft.Api;

namespace Weft.ApiServer.Strategies.Pods;

/// <summary>Containers of a pod spec: ordinary, init and ephemeral ones.</summary>
internal static class ContainerValidation
{
    private static readonly string[] NotForEphemeral =
        ["ports", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle", "resizePolicy", "restartPolicy"];

    public static IEnumerable<FieldError> Validate(Field spec, IEnumerable<string> moreVolumes)
    {
        if (spec["containers"].IsBlank)
            yield return spec["containers"].Required();

        var volumes = spec["volumes"].Items.Select(volume => volume["name"].TextOrEmpty).Concat(moreVolumes).ToHashSet();
        foreach (var container in spec["containers"].Items)
        {
            foreach (var error in Common(container, volumes).Concat(Running(container)))
                yield return error;
            if (container["restartPolicy"].Exists)
                yield return container["restartPolicy"].Forbidden("may not be set for non-init containers");
        }
        foreach (var error in spec["initContainers"].Each(container => Common(container, volumes).Concat(Init(container))))
            yield return error;
        foreach (var error in spec["ephemeralContainers"].Each(container => Common(container, volumes).Concat(Ephemeral(container, spec))))
            yield return error;

        foreach (var error in UniqueNames(spec).Concat(HostPorts(spec)))
            yield return error;
    }

    private static IEnumerable<FieldError> Common(Field container, HashSet<string> volumes)
    {
        var image = container["image"];
        if (image.TextOrEmpty.Length == 0)
            yield return image.Required();
        else if (image.Text != image.TextOrEmpty.Trim())
            yield return image.Invalid("must not have leading or trailing whitespace");

        foreach (var error in Rules.Named(container["name"], NameRules.DnsLabel)
            .Concat(Ports(container["ports"]))
            .Concat(EnvironmentValidation.Variables(container))
            .Concat(Mounts(container, volumes))
            .Concat(ResourceValidation.Validate(container["resources"]))
            .Concat(SecurityValidation.Container(container["securityContext"])))
            yield return error;
    }

    private static IEnumerable<FieldError> Running(Field container) =>
        ProbeValidation.Lifecycle(container["lifecycle"])
            .Concat(ProbeValidation.Once(container["livenessProbe"]))
            .Concat(ProbeValidation.Readiness(container["readinessProbe"]))
            .Concat(ProbeValidation.Once(container["startupProbe"]));

    private static IEnumerable<FieldError> Init(Field container)
    {
        var restart = container["restartPolicy"];
        if (restart.Exists && restart.Text != "Always")
            yield return restart.Unsupported(["Always"]);
        if (restart.Text == "Always")
        {
            foreach (var error in Running(container))
                yield return error;
            yield break;
        }
        foreach (var name in (string[])["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"])
        {
            if (container[name].Exists)
                yield return container[name].Forbidden("may not be set for init containers without restartPolicy=Always");
        }
    }

    private static IEnumerable<FieldError> Ephemeral(Field container, Field spec)
    {
        foreach (var name in NotForEphemeral)
        {
            if (container[name].Exists)
                yield return container[name].Forbidden("cannot be set for an Ephemeral Container");
        }
        if (container["resources"].Count > 0)
            yield return container["resources"].Forbidden("cannot be set for an Ephemeral Container");
        var target = container["targetContainerName"];
        if (target.TextOrEmpty.Length > 0 && !spec["containers"].Items.Concat(spec["initContainers"].Items).Any(other => other["name"].Text == target.Text))
            yield return target.NotFound();
    }

    private static IEnumerable<FieldError> Ports(Field ports)
    {
        foreach (var error in Rules.Unique(ports, "name"))
            yield return error;
        foreach (var port in ports.Items)
        {
            foreach (var error in Rules.Optional(port["name"], NameRules.PortName).Concat(Rules.Port(port["containerPort"])).Concat(Rules.Address(port["hostIP"])))
                yield return error;
            if (port["hostPort"].Number is not (null or 0))
            {
                foreach (var error in Rules.Port(port["hostPort"]))
                    yield return error;
            }
        }
    }

    private static IEnumerable<FieldError> Mounts(Field container, HashSet<string> volumes)
    {
        var paths = new HashSet<string>();
        foreach (var mount in container["volumeMounts"].Items)
        {
            var (name, path) = (mount["name"], mount["mountPath"]);
            if (name.IsBlank)
                yield return name.Required();
            else if (name.Exists && !volumes.Contains(name.TextOrEmpty))
                yield return name.NotFound();
            if (path.IsBlank)
                yield return path.Required();
            else if (path.Text is { } text && !paths.Add(text))
                yield return path.Invalid("must be unique");

            foreach (var error in Rules.InnerPath(mount["subPath"]).Concat(Rules.InnerPath(mount["subPathExpr"])))
                yield return error;
            if (mount["subPath"].TextOrEmpty.Length > 0 && mount["subPathExpr"].TextOrEmpty.Length > 0)
                yield return mount["subPathExpr"].Invalid("subPathExpr and subPath are mutually exclusive");
            if (mount["mountPropagation"].Text == "Bidirectional" && !container["securityContext"]["privileged"].IsTrue)
                yield return mount["mountPropagation"].Forbidden("Bidirectional mount propagation is available only to privileged containers");
        }
        foreach (var device in container["volumeDevices"].Items)
        {
            if (device["name"].Exists && !volumes.Contains(device["name"].TextOrEmpty))
                yield return device["name"].NotFound();
            foreach (var error in Rules.Filled(device["devicePath"]))
                yield return error;
        }
    }

    // One name space for all containers of a pod.
    private static IEnumerable<FieldError> UniqueNames(Field spec)
    {
        var seen = new HashSet<string>();
        foreach (var container in spec["containers"].Items.Concat(spec["initContainers"].Items).Concat(spec["ephemeralContainers"].Items))
        {
            if (container["name"].Text is { Length: > 0 } name && !seen.Add(name))
                yield return container["name"].Duplicate();
        }
    }

    private static IEnumerable<FieldError> HostPorts(Field spec)
    {
        var seen = new HashSet<string>();
        var host = spec["hostNetwork"].IsTrue;
        foreach (var port in spec["containers"].Items.SelectMany(container => container["ports"].Items))
        {
            if (port["hostPort"].Number is not { } number || number == 0)
                continue;
            if (host && number != port["containerPort"].Number)
                yield return port["containerPort"].Invalid("must match `hostPort` when `hostNetwork` is true");
            if (!seen.Add($"{port["protocol"].Text}/{port["hostIP"].Text}/{number}"))
                yield return port["hostPort"].Duplicate();
        }
    }
}
