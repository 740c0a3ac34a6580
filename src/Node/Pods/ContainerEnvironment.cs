using System.Text;
using Weft.Api.Core;

namespace Weft.Node.Pods;

/// <summary>ConfigMaps and Secrets that a pod refers to; null: there is no such object.</summary>
internal sealed record ReferencedObjects(IReadOnlyDictionary<string, ConfigMap?> ConfigMaps, IReadOnlyDictionary<string, Secret?> Secrets)
{
    public static readonly ReferencedObjects None = new(new Dictionary<string, ConfigMap?>(), new Dictionary<string, Secret?>());
}

internal sealed class ContainerConfigException(string message) : Exception(message);

/// <summary>The environment of a container. Pure; later entries win, and see earlier ones in `$(NAME)`.</summary>
internal static class ContainerEnvironment
{
    /// <param name="first">What the node gives every container; a pod may overrule it.</param>
    /// <exception cref="ContainerConfigException">Something it refers to is not there.</exception>
    public static IReadOnlyList<KeyValuePair<string, string>> Build(
        Pod pod, Container container, ReferencedObjects objects, IReadOnlyList<string> podIps, NodeFacts node, IEnumerable<KeyValuePair<string, string>> first)
    {
        var order = new List<string>();
        var values = new Dictionary<string, string>();
        foreach (var (name, value) in first)
            Set(name, value);
        foreach (var source in container.EnvFrom)
        {
            foreach (var (key, value) in From(source, objects))
                Set(source.Prefix + key, value);
        }
        foreach (var variable in container.Env)
        {
            if (variable.ValueFrom is null)
                Set(variable.Name, VariableExpansion.Expand(variable.Value ?? "", values.GetValueOrDefault));
            else if (Value(pod, container, variable.ValueFrom, objects, podIps, node) is { } value)
                Set(variable.Name, value);
        }
        return [.. order.Select(name => KeyValuePair.Create(name, values[name]))];

        void Set(string name, string value)
        {
            if (!values.ContainsKey(name))
                order.Add(name);
            values[name] = value;
        }
    }

    private static IEnumerable<KeyValuePair<string, string>> From(EnvFromSource source, ReferencedObjects objects)
    {
        if (source.ConfigMapRef is { } map)
        {
            if (objects.ConfigMaps.GetValueOrDefault(map.Name ?? "") is { } found)
                return found.Data.OrderBy(p => p.Key, StringComparer.Ordinal);
            if (map.Optional != true)
                throw new ContainerConfigException($"configmap \"{map.Name}\" not found");
        }
        if (source.SecretRef is { } secret)
        {
            if (objects.Secrets.GetValueOrDefault(secret.Name ?? "") is { } found)
                return found.Data.OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => KeyValuePair.Create(p.Key, Encoding.UTF8.GetString(p.Value)));
            if (secret.Optional != true)
                throw new ContainerConfigException($"secret \"{secret.Name}\" not found");
        }
        return [];
    }

    private static string? Value(Pod pod, Container container, EnvVarSource source, ReferencedObjects objects, IReadOnlyList<string> podIps, NodeFacts node)
    {
        try
        {
            if (source.FieldRef is { } field)
                return DownwardFields.Field(pod, field.FieldPath, podIps, node);
            if (source.ResourceFieldRef is { } resource)
                return DownwardFields.Resource(pod, container, resource, node);
        }
        catch (FormatException e)
        {
            throw new ContainerConfigException(e.Message);
        }

        if (source.ConfigMapKeyRef is { } map)
        {
            var found = objects.ConfigMaps.GetValueOrDefault(map.Name ?? "");
            if (found is not null && found.Data.TryGetValue(map.Key, out var value))
                return value;
            return map.Optional == true ? null : throw new ContainerConfigException(
                found is null ? $"configmap \"{map.Name}\" not found" : $"couldn't find key {map.Key} in ConfigMap {pod.Metadata.Namespace}/{map.Name}");
        }
        if (source.SecretKeyRef is { } secret)
        {
            var found = objects.Secrets.GetValueOrDefault(secret.Name ?? "");
            if (found is not null && found.Data.TryGetValue(secret.Key, out var value))
                return Encoding.UTF8.GetString(value);
            return secret.Optional == true ? null : throw new ContainerConfigException(
                found is null ? $"secret \"{secret.Name}\" not found" : $"couldn't find key {secret.Key} in Secret {pod.Metadata.Namespace}/{secret.Name}");
        }
        return null;
    }
}
