using Weft.Api.Core;

namespace Weft.Node.Network;

/// <param name="Nameservers">The cluster's DNS; empty when the cluster has none, and pods ask as the machine does.</param>
internal sealed record DnsSettings(IReadOnlyList<string> Nameservers, string Domain);

/// <summary>The pod's resolv.conf and hosts file. Pure.</summary>
internal static class ResolvConf
{
    // resolv.conf(5) of glibc reads three servers; Kubernetes allows 32 search domains.
    private const int MaxServers = 3, MaxSearches = 32;

    public static string For(Pod pod, DnsSettings dns, string hosts)
    {
        var (servers, searches, options) = Parse(hosts);
        var policy = pod.Spec.DnsPolicy ?? "ClusterFirst";
        var cluster = dns.Nameservers.Count > 0 && (policy == "ClusterFirstWithHostNet" || (policy == "ClusterFirst" && pod.Spec.HostNetwork != true));
        if (policy == "None")
            (servers, searches, options) = ([], [], []);
        else if (cluster)
        {
            searches = [$"{pod.Metadata.Namespace}.svc.{dns.Domain}", $"svc.{dns.Domain}", dns.Domain, .. searches];
            (servers, options) = ([.. dns.Nameservers], ["ndots:5"]);
        }

        if (pod.Spec.DnsConfig is { } config)
        {
            servers = [.. servers.Concat(config.Nameservers).Distinct()];
            searches = [.. searches.Concat(config.Searches).Distinct()];
            foreach (var option in config.Options)
            {
                options.RemoveAll(o => o.Split(':')[0] == option.Name);
                options.Add(string.IsNullOrEmpty(option.Value) ? option.Name ?? "" : $"{option.Name}:{option.Value}");
            }
        }

        List<string> lines = [.. servers.Take(MaxServers).Select(s => "nameserver " + s)];
        if (searches.Count > 0)
            lines.Add("search " + string.Join(' ', searches.Take(MaxSearches)));
        if (options.Count > 0)
            lines.Add("options " + string.Join(' ', options));
        return string.Join('\n', lines) + "\n";
    }

    public static string Hosts(Pod pod, string hostname, IReadOnlyList<string> ips, string domain)
    {
        List<string> lines =
        [
            "# Kubernetes-managed hosts file.",
            "127.0.0.1\tlocalhost", "::1\tlocalhost ip6-localhost ip6-loopback", "fe00::0\tip6-localnet", "fe00::0\tip6-mcastprefix", "fe00::1\tip6-allnodes", "fe00::2\tip6-allrouters",
        ];
        foreach (var ip in ips)
            lines.Add(pod.Spec.Subdomain is { Length: > 0 } subdomain ? $"{ip}\t{hostname}.{subdomain}.{pod.Metadata.Namespace}.svc.{domain}\t{hostname}" : $"{ip}\t{hostname}");
        return string.Join('\n', lines.Concat(Aliases(pod))) + "\n";
    }

    /// <summary>For a pod with the machine's network: the machine's file, and the pod's aliases.</summary>
    public static string MachineHosts(Pod pod, string machine) =>
        "# Kubernetes-managed hosts file (host network).\n" + machine.TrimEnd('\n') + "\n" + string.Concat(Aliases(pod).Select(line => line + "\n"));

    private static IEnumerable<string> Aliases(Pod pod) =>
        pod.Spec.HostAliases.Count == 0 ? [] : ["", "# Entries added by HostAliases.", .. pod.Spec.HostAliases.Select(alias => $"{alias.Ip}\t{string.Join('\t', alias.Hostnames)}")];

    private static (List<string> Servers, List<string> Searches, List<string> Options) Parse(string text)
    {
        var (servers, searches, options) = (new List<string>(), new List<string>(), new List<string>());
        foreach (var line in text.Split('\n'))
        {
            var words = line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            if (words.Length < 2)
                continue;
            switch (words[0])
            {
                case "nameserver":
                    servers.Add(words[1]);
                    break;
                case "search":
                    searches = [.. words.Skip(1)];
                    break;
                case "options":
                    options.AddRange(words.Skip(1));
                    break;
            }
        }
        return (servers, searches, options);
    }
}
