using Weft.Api.Core;

namespace Weft.Control.Scheduling.Model;

/// <summary>A port of the node that a pod claims.</summary>
internal readonly record struct HostPort(string Address, string Protocol, int Port)
{
    private const string AnyAddress = "0.0.0.0";

    /// <summary>The unspecified address claims the port on every address.</summary>
    public bool Conflicts(in HostPort other) =>
        Port == other.Port && Protocol == other.Protocol && (Address == other.Address || Address == AnyAddress || other.Address == AnyAddress);

    /// <summary>Null when there are none. Init containers count only as sidecars: the others are gone when the pod runs.</summary>
    public static List<HostPort>? Of(PodSpec spec)
    {
        List<HostPort>? found = null;
        foreach (var container in spec.Containers)
            Add(container, ref found);
        foreach (var container in spec.InitContainers)
        {
            if (container.RestartPolicy == "Always")
                Add(container, ref found);
        }

        return found;
    }

    private static void Add(Container container, ref List<HostPort>? found)
    {
        foreach (var port in container.Ports)
        {
            if (port.HostPort is { } number and > 0)
                (found ??= []).Add(new(string.IsNullOrEmpty(port.HostIP) || port.HostIP == "::" ? AnyAddress : port.HostIP, port.Protocol ?? "TCP", number));
        }
    }
}
