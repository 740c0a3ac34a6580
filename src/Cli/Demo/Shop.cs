using Weft.Cli.Clusters;
using Weft.Cli.Objects;

namespace Weft.Cli.Demo;

/// <summary>The demo's programs and manifests, as they are on this machine.</summary>
internal sealed class Shop(CommandHost host, ClusterPaths paths)
{
    internal const string Namespace = "shop";

    /// <summary>Where the programs are for users and pods alike.</summary>
    internal string Apps => paths.DemoApps;

    /// <summary>The programs must be readable for the user that pods run as, which a checkout in a home directory is not.</summary>
    internal void Install()
    {
        var source = Path.Combine(host.Content, "demo");
        if (!Directory.Exists(source))
            throw new CommandException($"the demo's programs are missing in {source}: run it as ./weft demo from a checkout");
        Directory.CreateDirectory(Apps);
        foreach (var file in Directory.EnumerateFiles(source))
        {
            var target = Path.Combine(Apps, Path.GetFileName(file));
            if (File.Exists(target) && File.GetLastWriteTimeUtc(target) >= File.GetLastWriteTimeUtc(file))
                continue;
            // A running program cannot be overwritten, but its name can be given to another file.
            File.Copy(file, target + ".new", overwrite: true);
            File.SetUnixFileMode(target + ".new", File.GetUnixFileMode(file) | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
            File.Move(target + ".new", target, overwrite: true);
        }
    }

    /// <summary>Fills in what only this machine knows. Returns the path of the manifest that can be applied.</summary>
    internal string Render(string name, params (string Name, string Value)[] more)
    {
        // .../shared/Microsoft.NETCore.App/10.0.x/System.Private.CoreLib.dll: the root is four up.
        var runtime = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(typeof(object).Assembly.Location)!, "..", "..", ".."));
        var text = File.ReadAllText(Path.Combine(host.Content, "manifests", name));
        foreach (var (variable, value) in more.Append(("APPS", Apps)).Append(("DOTNET_ROOT", runtime)))
            text = text.Replace("${" + variable + "}", value, StringComparison.Ordinal);
        var rendered = Path.Combine(Apps, name);
        File.WriteAllText(rendered, text);
        return rendered;
    }
}
