using System.Text.Json.Nodes;
using Weft.Node.Network;
using Weft.Node.Tests.Network.Services;

namespace Weft.Node.Tests.Network.Netlink;

/// <summary>The real `ptp` and `host-local`, as containerd runs them.</summary>
internal sealed class CniPrograms(CniOptions options, NetworkNamespace host)
{
    public Task<string> AddAsync(string id, string netns) => RunAsync("ptp", "ADD", id, netns);

    public Task<string> DeleteAsync(string id, string netns) => RunAsync("ptp", "DEL", id, netns);

    /// <summary>An address alone.</summary>
    public Task<string> ReserveAsync(string id) => RunAsync("host-local", "ADD", id, "/proc/self/ns/net");

    public Task<string> ReleaseAsync(string id) => RunAsync("host-local", "DEL", id, "/proc/self/ns/net");

    private Task<string> RunAsync(string program, string command, string id, string netns)
    {
        var network = new JsonObject
        {
            ["cniVersion"] = "1.0.0",
            ["name"] = options.Name,
            ["type"] = program,
            ["ipMasq"] = false,
            ["mtu"] = options.Mtu,
            ["ipam"] = new JsonObject
            {
                ["type"] = "host-local",
                ["dataDir"] = options.IpamDirectory,
                ["ranges"] = new JsonArray { new JsonArray { new JsonObject { ["subnet"] = options.PodCidr } } },
                ["routes"] = new JsonArray { new JsonObject { ["dst"] = "0.0.0.0/0" } },
            },
        };
        var path = options.Path.Select(directory => Path.Combine(directory, program)).First(File.Exists);
        return host.RunAsync(
            "env",
            [$"CNI_COMMAND={command}", $"CNI_CONTAINERID={id}", $"CNI_NETNS={netns}", "CNI_IFNAME=eth0", $"CNI_PATH={string.Join(':', options.Path)}", path],
            network.ToJsonString());
    }
}
