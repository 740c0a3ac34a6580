namespace Weft.ApiServer.Strategies.Pods;

/// <summary>Things in a pod spec that are allowed and most likely not meant.</summary>
internal static class PodWarnings
{
    private static readonly (string Name, string Hint)[] OldVolumes =
    [
        ("gitRepo", "deprecated in v1.11"), ("glusterfs", "deprecated in v1.25, non-functional in v1.26+"), ("rbd", "deprecated in v1.28, non-functional in v1.31+"),
        ("cephfs", "deprecated in v1.28, non-functional in v1.31+"), ("scaleIO", "deprecated in v1.16, non-functional in v1.22+"),
        ("storageos", "deprecated in v1.22, non-functional in v1.25+"), ("flocker", "deprecated in v1.22, non-functional in v1.25+"),
    ];

    public static IEnumerable<string> Of(Field spec)
    {
        foreach (var name in (string[])["arch", "os"])
        {
            if (spec["nodeSelector"].At("beta.kubernetes.io/" + name) is { Exists: true } old)
                yield return $"{old.Path}: deprecated since v1.14; use \"kubernetes.io/{name}\" instead";
        }
        foreach (var volume in spec["volumes"].Items)
        {
            foreach (var (name, hint) in OldVolumes)
            {
                if (volume[name].Exists)
                    yield return $"{volume[name].Path}: {hint}";
            }
        }
        foreach (var container in spec["containers"].Items.Concat(spec["initContainers"].Items))
        {
            var seen = new HashSet<string>();
            foreach (var variable in container["env"].Items)
            {
                if (variable["name"].Text is { } name && !seen.Add(name))
                    yield return $"{variable.Path}: hides previous definition of \"{name}\", which may be dropped when using apply";
            }
            var ports = new HashSet<(long?, string?)>();
            foreach (var port in container["ports"].Items)
            {
                if (!ports.Add((port["containerPort"].Number, port["protocol"].Text)))
                    yield return $"{port.Path}: duplicate port definition with an earlier entry of the same containerPort and protocol";
            }
        }
    }
}
