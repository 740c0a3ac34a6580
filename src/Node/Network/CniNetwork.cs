using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using Weft.Node.Interop;

namespace Weft.Node.Network;

internal sealed record CniOptions(string Name, string PodCidr, string IpamDirectory, string CacheDirectory, IReadOnlyList<string> Path, int Mtu);

internal sealed class CniException(string message) : Exception(message);

/// <summary>
/// Runs CNI plugins (specification 1.0.0): the `ptp` plugin gives a pod a routed veth, `host-local` its address. Not a bridge: between pods of
/// a bridge traffic stays in layer 2, out of sight of redirection. No masquerade by the plugin: Weft's own nft table does it.
/// </summary>
internal sealed class CniNetwork(CniOptions options)
{
    private const string Version = "1.0.0";

    /// <exception cref="CniException">A plugin is missing or refused; what earlier plugins did is undone.</exception>
    public async Task<IReadOnlyList<string>> AddAsync(string id, string netns, CancellationToken cancellationToken)
    {
        JsonNode? result = null;
        try
        {
            foreach (var plugin in Plugins())
                result = await RunAsync("ADD", plugin, id, netns, result, cancellationToken) ?? result;
        }
        catch (CniException)
        {
            await DeleteAsync(id, netns, CancellationToken.None);
            throw;
        }

        Directory.CreateDirectory(options.CacheDirectory);
        await File.WriteAllTextAsync(CacheFile(id), result?.ToJsonString() ?? "{}", cancellationToken);
        return Addresses(result);
    }

    /// <summary>Releases address and veth. May be called again, and when the namespace is already gone.</summary>
    public async Task DeleteAsync(string id, string netns, CancellationToken cancellationToken)
    {
        var previous = File.Exists(CacheFile(id)) ? Parse(await File.ReadAllTextAsync(CacheFile(id), cancellationToken)) : null;
        // The file of a namespace that is gone stays behind as an ordinary one, which plugins refuse; an empty name means "already gone" (CNI spec, DEL).
        var alive = Mounts.IsMountPoint(netns) ? netns : "";
        foreach (var plugin in Plugins().Reverse())
            await RunAsync("DEL", plugin, id, alive, previous, cancellationToken);
        if (File.Exists(CacheFile(id)))   // its directory may be missing too: a node that was never whole
            File.Delete(CacheFile(id));
    }

    /// <summary>Throws when the interface or its address is no longer as the ADD left it.</summary>
    public async Task CheckAsync(string id, string netns, CancellationToken cancellationToken)
    {
        var previous = File.Exists(CacheFile(id)) ? Parse(await File.ReadAllTextAsync(CacheFile(id), cancellationToken)) : null;
        foreach (var plugin in Plugins())
            await RunAsync("CHECK", plugin, id, netns, previous, cancellationToken);
    }

    private string CacheFile(string id) => Path.Combine(options.CacheDirectory, id);

    private IEnumerable<JsonObject> Plugins()
    {
        yield return new JsonObject
        {
            ["type"] = "ptp",
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
    }

    private async Task<JsonNode?> RunAsync(string command, JsonObject plugin, string id, string netns, JsonNode? previous, CancellationToken cancellationToken)
    {
        var type = (string)plugin["type"]!;
        var executable = options.Path.Select(directory => Path.Combine(directory, type)).FirstOrDefault(File.Exists)
            ?? throw new CniException($"CNI plugin '{type}' not found in {string.Join(", ", options.Path)}: install the package containernetworking-plugins");
        plugin["cniVersion"] = Version;
        plugin["name"] = options.Name;
        if (previous is not null)
            plugin["prevResult"] = previous.DeepClone();

        var start = new ProcessStartInfo(executable) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        start.Environment.Clear();
        start.Environment["PATH"] = "/usr/sbin:/usr/bin:/sbin:/bin";
        start.Environment["CNI_COMMAND"] = command;
        start.Environment["CNI_CONTAINERID"] = id;
        start.Environment["CNI_NETNS"] = netns;
        start.Environment["CNI_IFNAME"] = "eth0";
        start.Environment["CNI_PATH"] = string.Join(':', options.Path);

        using var process = Process.Start(start) ?? throw new CniException($"CNI plugin {executable} did not start");
        var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
        var error = process.StandardError.ReadToEndAsync(cancellationToken);
        await process.StandardInput.WriteAsync(plugin.ToJsonString().AsMemory(), cancellationToken);
        process.StandardInput.Close();
        await process.WaitForExitAsync(cancellationToken);
        var text = await output;
        if (process.ExitCode == 0)
            return text.Length == 0 ? null : Parse(text);

        var problem = Parse(text);
        throw new CniException($"CNI {command} by {type} failed: {(string?)problem?["msg"] ?? (await error).Trim()} {(string?)problem?["details"]}".TrimEnd());
    }

    private static JsonNode? Parse(string text)
    {
        try
        {
            return JsonNode.Parse(text);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static List<string> Addresses(JsonNode? result) =>
        [.. (result?["ips"]?.AsArray() ?? []).Select(ip => ((string)ip!["address"]!).Split('/')[0])];
}
