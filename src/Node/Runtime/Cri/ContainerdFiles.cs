using Weft.Node.Interop;
using Weft.Node.Runtime.Process;

namespace Weft.Node.Runtime.Cri;

/// <summary>What has to be there before containerd starts.</summary>
internal static class ContainerdFiles
{
    /// <summary>Null when the machine has all programs; otherwise what to install.</summary>
    public static string? Missing(CriRuntimeOptions options)
    {
        if (!File.Exists(options.Containerd))
            return $"{options.Containerd} is missing: install the package 'containerd' (apt-get install containerd runc)";
        if (!File.Exists(Path.Combine(Path.GetDirectoryName(options.Containerd)!, "containerd-shim-runc-v2")))
            return $"containerd-shim-runc-v2 is missing beside {options.Containerd}: install the package 'containerd' (apt-get install containerd runc)";
        if (!File.Exists(options.Handler))
            return $"{options.Handler} is missing: install the package 'crun' or 'runc' (apt-get install crun)";
        return null;
    }

    /// <returns>True when settings changed that containerd reads at its start alone.</returns>
    public static bool Write(CriRuntimeOptions options, ContainerMachine machine)
    {
        var paths = new CriPaths(options);
        Directory.CreateDirectory(options.DataDir, ProcessMachine.OwnerOnly);
        Directory.CreateDirectory(options.RunDir, ProcessMachine.OwnerOnly);
        if (!Mounts.IsMountPoint(options.RunDir))
        {
            // Shared, so that containerd sees what the agent mounts below it later, and the agent what containerd does, also from another mount namespace.
            Mounts.Bind(options.RunDir, options.RunDir);
            Mounts.MakeShared(options.RunDir);
        }
        // Commands that an earlier run of the agent ran in containers have lost whoever asked for them.
        DirectoryRemoval.Delete(paths.Execs);
        foreach (var directory in new[] { paths.Root, paths.State, paths.Opt, paths.CniConfig, Path.GetDirectoryName(paths.Hosts)!, paths.HandlerState, paths.Execs, options.Network.IpamDirectory })
            Directory.CreateDirectory(directory, ProcessMachine.OwnerOnly);

        // In place: containerd 1.6 does not notice a file that is moved into the directory.
        WriteChanged(paths.ConfList, ContainerdConfig.ConfList(options.Network));
        // Read at each pull.
        if (options.Mirror is { } mirror)
            WriteChanged(paths.Hosts, ContainerdConfig.Hosts(mirror));
        else
            File.Delete(paths.Hosts);
        return WriteChanged(paths.Config, ContainerdConfig.Toml(options, machine));
    }

    private static bool WriteChanged(string path, string text)
    {
        if (File.Exists(path) && File.ReadAllText(path) == text)
            return false;
        File.WriteAllText(path, text);
        return true;
    }
}
