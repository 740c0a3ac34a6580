using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace Weft.Cli.Nodes;

internal static class MachineAddress
{
    /// <summary>The interface of the default route; its destination and mask are zero (proc(5)).</summary>
    public static string? DefaultLink() =>
        File.ReadLines("/proc/net/route").Skip(1).Select(line => line.Split('\t')).FirstOrDefault(f => f.Length > 7 && f[1] == "00000000" && f[7] == "00000000")?[0];

    /// <summary>What the machine is reached by: the address on the interface of its default route; null without one.</summary>
    public static IPAddress? OfDefaultRoute()
    {
        var name = DefaultLink();
        return NetworkInterface.GetAllNetworkInterfaces().Where(link => link.Name == name)
            .SelectMany(link => link.GetIPProperties().UnicastAddresses).Select(address => address.Address).FirstOrDefault(address => address.AddressFamily == AddressFamily.InterNetwork);
    }
}
