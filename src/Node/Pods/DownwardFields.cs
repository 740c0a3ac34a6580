using System.Globalization;
using System.Text;
using Weft.Api;
using Weft.Api.Core;

namespace Weft.Node.Pods;

/// <summary>What a pod may learn about itself: fieldRef and resourceFieldRef. Pure.</summary>
internal static class DownwardFields
{
    /// <exception cref="FormatException">There is no such field.</exception>
    public static string Field(Pod pod, string path, IReadOnlyList<string> podIps, NodeFacts node)
    {
        if (Subscript(path, "metadata.labels") is { } label)
            return pod.Metadata.Labels.GetValueOrDefault(label, "");
        if (Subscript(path, "metadata.annotations") is { } annotation)
            return pod.Metadata.Annotations.GetValueOrDefault(annotation, "");
        return path switch
        {
            "metadata.name" => pod.Metadata.Name ?? "",
            "metadata.namespace" => pod.Metadata.Namespace ?? "",
            "metadata.uid" => pod.Metadata.Uid ?? "",
            "metadata.labels" => Lines(pod.Metadata.Labels),
            "metadata.annotations" => Lines(pod.Metadata.Annotations),
            "spec.nodeName" => node.NodeName,
            "spec.serviceAccountName" => pod.Spec.ServiceAccountName ?? "",
            "status.hostIP" or "status.hostIPs" => node.HostIp,
            "status.podIP" => podIps.Count > 0 ? podIps[0] : "",
            "status.podIPs" => string.Join(',', podIps),
            _ => throw new FormatException($"fieldRef names an unknown field '{path}'"),
        };
    }

    /// <summary>Limits that are not set count as what the node can give. Rounded up to whole divisors.</summary>
    /// <exception cref="FormatException">There is no such resource or container.</exception>
    public static string Resource(Pod pod, Container? own, ResourceFieldSelector selector, NodeFacts node)
    {
        var container = selector.ContainerName is { Length: > 0 } name ? PodShape.Find(pod, name) : own;
        if (container is null)
            throw new FormatException($"resourceFieldRef names an unknown container '{selector.ContainerName}'");
        var dot = selector.Resource.IndexOf('.', StringComparison.Ordinal);
        var (kind, resource) = dot < 0 ? ("", "") : (selector.Resource[..dot], selector.Resource[(dot + 1)..]);
        var set = kind switch
        {
            "limits" => container.Resources?.Limits,
            "requests" => container.Resources?.Requests,
            _ => throw new FormatException($"resourceFieldRef names an unknown resource '{selector.Resource}'"),
        };

        var amount = set is not null && set.TryGetValue(resource, out var found) ? found
            : kind == "requests" ? Quantity.Zero
            : resource switch
            {
                "cpu" => node.AllocatableCpu,
                "memory" => node.AllocatableMemory,
                _ => Quantity.Zero,
            };
        var divisor = selector.Divisor is { IsZero: false } given ? given : Quantity.FromUnits(1);
        // In thousandths where a fraction of a core can be asked for, in whole units otherwise (a memory amount in thousandths would overflow).
        var (value, unit) = resource == "cpu" ? (amount.Milli, divisor.Milli) : (amount.Units, divisor.Units);
        return ((value + unit - 1) / unit).ToString(CultureInfo.InvariantCulture);
    }

    private static string? Subscript(string path, string prefix) =>
        path.StartsWith(prefix + "['", StringComparison.Ordinal) && path.EndsWith("']", StringComparison.Ordinal) ? path[(prefix.Length + 2)..^2] : null;

    /// <summary>`key="value"` lines in the order of keys, values escaped as Go escapes them.</summary>
    private static string Lines(IReadOnlyDictionary<string, string> pairs) =>
        string.Join('\n', pairs.OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => $"{p.Key}={Quote(p.Value)}"));

    private static string Quote(string value)
    {
        var text = new StringBuilder("\"");
        foreach (var c in value)
        {
            text.Append(c switch
            {
                '"' => "\\\"",
                '\\' => "\\\\",
                '\n' => "\\n",
                '\r' => "\\r",
                '\t' => "\\t",
                < ' ' or '\x7f' => $"\\x{(int)c:x2}",
                _ => c.ToString(),
            });
        }
        return text.Append('"').ToString();
    }
}
