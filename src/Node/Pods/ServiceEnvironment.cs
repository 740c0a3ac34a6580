using System.Globalization;
using Weft.Api.Core;

namespace Weft.Node.Pods;

/// <summary>The variables by which containers find services, as the kubelet sets them: those of the API always, those of the pod's namespace unless it asks not to. Pure.</summary>
internal static class ServiceEnvironment
{
    /// <param name="services">Of the pod's namespace.</param>
    public static IReadOnlyDictionary<string, string> Of(IEnumerable<Service> services)
    {
        var variables = new Dictionary<string, string>();
        foreach (var service in services.Where(service => service.Spec.ClusterIP is { Length: > 0 } and not "None" && service.Spec.Ports.Count > 0).OrderBy(service => service.Metadata.Name, StringComparer.Ordinal))
            Add(variables, service.Metadata.Name ?? "", service.Spec.ClusterIP!, [.. service.Spec.Ports.Select(port => (port.Name ?? "", port.Port, port.Protocol ?? "TCP"))]);
        return variables;
    }

    public static IReadOnlyDictionary<string, string> OfApi(string address)
    {
        var variables = new Dictionary<string, string>();
        Add(variables, "kubernetes", address, [("https", 443, "TCP")]);
        return variables;
    }

    private static void Add(Dictionary<string, string> variables, string name, string address, IReadOnlyList<(string Name, int Port, string Protocol)> ports)
    {
        var prefix = Variable(name);
        variables[prefix + "_SERVICE_HOST"] = address;
        variables[prefix + "_SERVICE_PORT"] = Number(ports[0].Port);
        foreach (var port in ports.Where(port => port.Name.Length > 0))
            variables[$"{prefix}_SERVICE_PORT_{Variable(port.Name)}"] = Number(port.Port);

        // The form of Docker's links of old.
        for (var i = 0; i < ports.Count; i++)
        {
            var (_, port, protocol) = ports[i];
            var url = $"{protocol.ToLowerInvariant()}://{address}:{port}";
            if (i == 0)
                variables[prefix + "_PORT"] = url;
            var one = $"{prefix}_PORT_{port}_{protocol}";
            variables[one] = url;
            variables[one + "_PROTO"] = protocol.ToLowerInvariant();
            variables[one + "_PORT"] = Number(port);
            variables[one + "_ADDR"] = address;
        }
    }

    private static string Variable(string name) => name.ToUpperInvariant().Replace('-', '_');

    private static string Number(int port) => port.ToString(CultureInfo.InvariantCulture);
}
