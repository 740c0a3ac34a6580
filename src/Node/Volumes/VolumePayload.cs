using System.Text;
using Weft.Api.Core;
using Weft.Node.Pods;

namespace Weft.Node.Volumes;

/// <summary>The files of configMap, secret, downwardAPI and projected volumes. Pure.</summary>
internal static class VolumePayload
{
    // 0644: what the API defaults to.
    private const int DefaultMode = 0b110_100_100;

    /// <param name="tokens">The token of each serviceAccountToken source, in order.</param>
    /// <exception cref="VolumeException">Something it refers to is not there.</exception>
    public static IReadOnlyList<VolumeFile> Build(Pod pod, Volume volume, ReferencedObjects objects, IReadOnlyList<string> podIps, NodeFacts node, IReadOnlyList<string> tokens)
    {
        var files = new Dictionary<string, VolumeFile>();
        if (volume.ConfigMap is { } map)
            Add(FromMap(map.Name, map.Items, map.Optional, objects, map.DefaultMode ?? DefaultMode, pod.Metadata.Namespace));
        else if (volume.Secret is { } secret)
            Add(FromSecret(secret.SecretName, secret.Items, secret.Optional, objects, secret.DefaultMode ?? DefaultMode, pod.Metadata.Namespace));
        else if (volume.DownwardAPI is { } downward)
            Add(FromDownward(pod, downward.Items, podIps, node, downward.DefaultMode ?? DefaultMode));
        else if (volume.Projected is { } projected)
        {
            var mode = projected.DefaultMode ?? DefaultMode;
            var token = 0;
            foreach (var source in projected.Sources)
            {
                if (source.ConfigMap is { } m)
                    Add(FromMap(m.Name, m.Items, m.Optional, objects, mode, pod.Metadata.Namespace));
                if (source.Secret is { } s)
                    Add(FromSecret(s.Name, s.Items, s.Optional, objects, mode, pod.Metadata.Namespace));
                if (source.DownwardAPI is { } d)
                    Add(FromDownward(pod, d.Items, podIps, node, mode));
                if (source.ServiceAccountToken is { } t)
                    Add([new VolumeFile(VolumePaths.Check(t.Path), Encoding.UTF8.GetBytes(tokens[token++]), mode)]);
            }
        }
        return [.. files.Values.OrderBy(f => f.Path, StringComparer.Ordinal)];

        void Add(IEnumerable<VolumeFile> more)
        {
            foreach (var file in more)
                files[file.Path] = file;
        }
    }

    private static IEnumerable<VolumeFile> FromMap(string? name, IReadOnlyList<KeyToPath> items, bool? optional, ReferencedObjects objects, int mode, string? ns)
    {
        var map = objects.ConfigMaps.GetValueOrDefault(name ?? "");
        if (map is null)
            return optional == true ? [] : throw new VolumeException($"configmap \"{name}\" not found");
        var data = map.Data.ToDictionary(p => p.Key, p => (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes(p.Value));
        foreach (var (key, value) in map.BinaryData)
            data[key] = value;
        return Select(data, items, optional, mode, $"configmap {ns}/{name}");
    }

    private static IEnumerable<VolumeFile> FromSecret(string? name, IReadOnlyList<KeyToPath> items, bool? optional, ReferencedObjects objects, int mode, string? ns)
    {
        var secret = objects.Secrets.GetValueOrDefault(name ?? "");
        if (secret is null)
            return optional == true ? [] : throw new VolumeException($"secret \"{name}\" not found");
        return Select(secret.Data.ToDictionary(p => p.Key, p => (ReadOnlyMemory<byte>)p.Value), items, optional, mode, $"secret {ns}/{name}");
    }

    private static List<VolumeFile> Select(Dictionary<string, ReadOnlyMemory<byte>> data, IReadOnlyList<KeyToPath> items, bool? optional, int mode, string what)
    {
        if (items.Count == 0)
            return [.. data.Select(p => new VolumeFile(VolumePaths.Check(p.Key), p.Value, mode))];
        var files = new List<VolumeFile>();
        foreach (var item in items)
        {
            if (data.TryGetValue(item.Key, out var content))
                files.Add(new VolumeFile(VolumePaths.Check(item.Path), content, item.Mode ?? mode));
            else if (optional != true)
                throw new VolumeException($"{what} has no key '{item.Key}'");
        }
        return files;
    }

    private static List<VolumeFile> FromDownward(Pod pod, IReadOnlyList<DownwardAPIVolumeFile> items, IReadOnlyList<string> podIps, NodeFacts node, int mode)
    {
        try
        {
            return [.. items.Select(item => new VolumeFile(
                VolumePaths.Check(item.Path),
                Encoding.UTF8.GetBytes(item.FieldRef is { } field ? DownwardFields.Field(pod, field.FieldPath, podIps, node)
                    : item.ResourceFieldRef is { } resource ? DownwardFields.Resource(pod, null, resource, node) : ""),
                item.Mode ?? mode))];
        }
        catch (FormatException e)
        {
            throw new VolumeException(e.Message);
        }
    }
}
