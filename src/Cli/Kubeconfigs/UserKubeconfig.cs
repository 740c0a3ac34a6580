using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Weft.Api.Trees;
using Weft.Cli.Clusters;

namespace Weft.Cli.Kubeconfigs;

/// <summary>What `weft up` wrote: for the user to know, and to undo.</summary>
public sealed record ContextAdded(string Path, string Context, string? Backup);

/// <summary>The kubeconfig of the person at the keyboard; under sudo that is the caller, not root.</summary>
/// <param name="Owner">User and group id the file is to have, or null to leave it.</param>
public sealed record UserKubeconfig(string Path, (int User, int Group)? Owner)
{
    public static UserKubeconfig ForCaller()
    {
        if (Environment.GetEnvironmentVariable("KUBECONFIG") is { Length: > 0 } list)
            return new(list.Split(':', StringSplitOptions.RemoveEmptyEntries)[0], SudoCaller());

        var caller = Environment.GetEnvironmentVariable("SUDO_USER");
        if (Environment.IsPrivilegedProcess && caller is { Length: > 0 } && HomeOf(caller) is var (home, user, group))
            return new(System.IO.Path.Combine(home, ".kube", "config"), (user, group));
        return new(System.IO.Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".kube", "config"), null);
    }

    public async Task<ContextAdded> AddAsync(ClusterPaths paths, CancellationToken cancellationToken)
    {
        var current = await LoadAsync(cancellationToken);
        var cluster = Parse(await File.ReadAllBytesAsync(paths.Kubeconfig, cancellationToken), paths.Kubeconfig);
        var merged = KubeconfigMerge.Add(current ?? [], cluster, paths.Name);
        if (JsonNode.DeepEquals(merged, current))
            return new(Path, paths.Name, null);

        string? backup = null;
        if (current is not null && !KubeconfigMerge.Contains(current, paths.Name))
        {
            backup = Path + ".before-weft";
            // Not a copy onto the name: it may be a link that someone else put there for root to follow.
            AtomicFile.Write(backup, await File.ReadAllBytesAsync(Path, cancellationToken), UnixFileMode.UserRead | UnixFileMode.UserWrite);
            Own(backup);
        }

        Save(merged);
        return new(Path, paths.Name, backup);
    }

    public async Task RemoveAsync(ClusterPaths paths, CancellationToken cancellationToken)
    {
        if (await LoadAsync(cancellationToken) is { } current && KubeconfigMerge.Remove(current, paths.Name) is { } without)
            Save(without);
    }

    private async Task<JsonObject?> LoadAsync(CancellationToken cancellationToken) =>
        File.Exists(Path) ? Parse(await File.ReadAllBytesAsync(Path, cancellationToken), Path) : null;

    private static JsonObject Parse(byte[] yaml, string path) => YamlTree.Parse(yaml).Root switch
    {
        JsonObject config => config,
        null => [],
        _ => throw new InvalidDataException($"{path} is no kubeconfig: it holds no mapping; mend or remove it"),
    };

    private void Save(JsonObject config)
    {
        var folder = System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(Path))!;
        var newFolder = !Directory.Exists(folder);
        AtomicFile.Write(Path, Encoding.UTF8.GetBytes(YamlTree.Write(config)), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        if (newFolder)
            Own(folder);
        Own(Path);
    }

    private void Own(string path)
    {
        if (Owner is var (user, group))
            FileOwner.Set(path, user, group);
    }

    // Set by sudo(8): without it a file that KUBECONFIG names would become root's.
    private static (int User, int Group)? SudoCaller() =>
        Environment.IsPrivilegedProcess
        && int.TryParse(Environment.GetEnvironmentVariable("SUDO_UID"), CultureInfo.InvariantCulture, out var user)
        && int.TryParse(Environment.GetEnvironmentVariable("SUDO_GID"), CultureInfo.InvariantCulture, out var group) ? (user, group) : null;

    /// <summary>Where everybody on this machine keeps kubeconfigs, there yet or not: no pod may look into them, for a context in one is the cluster's administrator.</summary>
    public static IReadOnlyList<string> EveryonesDirectory() =>
    [
        .. File.ReadLines("/etc/passwd").Select(line => line.Split(':')).Where(fields => fields.Length > 5 && fields[5].StartsWith('/') && Directory.Exists(fields[5]))
            .Select(fields => System.IO.Path.Combine(fields[5], ".kube")).Distinct(StringComparer.Ordinal),
    ];

    // name:password:uid:gid:comment:home:shell (passwd(5)).
    private static (string Home, int User, int Group)? HomeOf(string user)
    {
        foreach (var line in File.ReadLines("/etc/passwd"))
        {
            var fields = line.Split(':');
            if (fields.Length > 5 && fields[0] == user)
                return (fields[5], int.Parse(fields[2], CultureInfo.InvariantCulture), int.Parse(fields[3], CultureInfo.InvariantCulture));
        }

        return null;
    }
}
