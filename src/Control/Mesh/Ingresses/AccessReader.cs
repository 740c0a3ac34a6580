using System.Net;
using Weft.Api.Networking;
using Weft.Control.Mesh.Diagnostics;
using Weft.Control.Mesh.FrontDoor.Policies;
using Weft.Proxy.Config.Model;

namespace Weft.Control.Mesh.Ingresses;

/// <summary>
/// What requests must pass: cross-origin rules, limits, addresses, passwords, another server, in ingress-nginx' order. What of it cannot be understood closes; a limit that
/// cannot is left out.
/// </summary>
internal static class AccessReader
{
    // Requests at once after a pause, as ingress-nginx has it.
    private const int UsualBurst = 5;

    private static readonly string[] Snippets = ["configuration-snippet", "server-snippet", "auth-snippet"];

    private static readonly string[] ClientCertificates =
        ["auth-tls-secret", "auth-tls-verify-client", "auth-tls-verify-depth", "auth-tls-error-page", "auth-tls-pass-certificate-to-upstream", "auth-tls-match-cn"];

    public static ValueList<FilterConfig> Read(Ingress ingress, IngressAnnotations annotations, MeshLookups lookups)
    {
        foreach (var name in Snippets.Where(name => annotations.Text(name) is not null))
            annotations.Close(name, "is a piece of another program's configuration and is not taken, for it may do anything to everybody; write what it is for with annotations, a VirtualService or a policy");
        foreach (var name in ClientCertificates.Where(name => annotations.Text(name) is not null).Take(1))
            annotations.Close(name, "client certificates are asked for by port, not by host; use a Gateway with tls.mode MUTUAL on a port of its own");
        var name_ = MeshIndex.Name(ingress);
        return
        [
            .. CorsReader.Read(annotations),
            .. Limits(name_, annotations),
            .. Addresses(name_, annotations),
            .. Passwords(ingress, annotations, lookups),
            .. AuthorizerReader.Read(ingress, annotations, lookups),
        ];
    }

    /// <summary>The policy for tokens that the Ingress names; null: none.</summary>
    public static ObjectRef? JwtPolicy(Ingress ingress, IngressAnnotations annotations, MeshLookups lookups)
    {
        const string Name = "jwt-policy";
        if (annotations.Text(Name) is not { } name)
            return null;
        var policy = new ObjectRef("JwtPolicy", ingress.Metadata.Namespace ?? "", name);
        if (!lookups.DoorPolicies(policy).Any())
            annotations.Close(Name, name.Contains('/') ? "names another namespace; the policy is one of the Ingress' own" : $"there is no JwtPolicy '{name}'");
        return policy;
    }

    private static IEnumerable<FilterConfig> Limits(string name, IngressAnnotations annotations)
    {
        var burst = annotations.Number("limit-burst-multiplier", 1, 1000) ?? UsualBurst;
        foreach (var (annotation, per) in new[] { ("limit-rps", TimeSpan.FromSeconds(1)), ("limit-rpm", TimeSpan.FromMinutes(1)) })
        {
            if (annotations.Number(annotation, 0, 1_000_000) is > 0 and var requests)
                yield return new RateLimitFilter { Name = $"{name}/{annotation}", Requests = requests, Per = per, Burst = requests * burst, Keys = [new AddressKey()] };
        }
    }

    private static IEnumerable<FilterConfig> Addresses(string name, IngressAnnotations annotations)
    {
        var policies = new List<AuthorizationPolicyConfig>();
        if (Ranges("denylist-source-range", "denylist", annotations) is { Count: > 0 } denied)
            policies.Add(new() { Name = $"{name}/denylist", Action = AuthorizationAction.Deny, Rules = [new() { From = [new() { RemoteIpBlocks = denied }] }] });
        if (Ranges("allowlist-source-range", "whitelist-source-range", annotations) is { Count: > 0 } allowed)
            policies.Add(new() { Name = $"{name}/allowlist", Rules = [new() { From = [new() { RemoteIpBlocks = allowed }] }] });
        return policies.Count == 0 ? [] : [new AuthorizationFilter { Policies = policies.ToValueList() }];
    }

    private static ValueList<string> Ranges(string name, string other, IngressAnnotations annotations)
    {
        var ranges = new List<string>();
        foreach (var (from, list) in new[] { (name, annotations.List(name)), (other, annotations.List(other)) })
        {
            foreach (var text in list)
            {
                if (IPAddress.TryParse(text, out _) || IPNetwork.TryParse(text, out _))
                    ranges.Add(text);
                else
                    annotations.Close(from, $"'{text}' is neither an address nor a range such as 10.0.0.0/8");
            }
        }

        return ranges.Distinct().ToValueList();
    }

    private static IEnumerable<FilterConfig> Passwords(Ingress ingress, IngressAnnotations annotations, MeshLookups lookups)
    {
        var (type, name, form, realm) = (annotations.Text("auth-type"), annotations.Text("auth-secret"), annotations.Text("auth-secret-type") ?? "auth-file", annotations.Text("auth-realm"));
        if (type is null && name is null)
            return [];
        if (type is not "basic")
            annotations.Close("auth-type", type is null ? "is missing beside auth-secret; write basic" : $"'{type}' is not done; write basic");
        else if (name is null)
            annotations.Close("auth-secret", "is missing: the Secret with users and passwords");
        else if (name.Contains('/') && name[..name.IndexOf('/')] != ingress.Metadata.Namespace)
            annotations.Close("auth-secret", "is of another namespace; whoever writes an Ingress must not thereby use others' Secrets");
        else if (form is not ("auth-file" or "auth-map"))
            annotations.Close("auth-secret-type", $"'{form}' is neither auth-file nor auth-map");
        else
            return [Basic(name[(name.IndexOf('/') + 1)..])];
        return [];

        FilterConfig Basic(string secretName)
        {
            var secret = lookups.Secret(ingress.Metadata.Namespace ?? "", secretName);
            var users = (form == "auth-map" ? secret?.UserEntries : secret?.Users) ?? [];
            if (secret is null)
                annotations.Error("auth-secret", $"there is no Secret '{secretName}'; nobody is let in until it is there");
            else if (users.IsEmpty)
                annotations.Error("auth-secret", $"Secret '{secretName}' has no user that can be checked{(form == "auth-map" ? "" : " at its entry 'auth'")}; nobody is let in. Write it with htpasswd -B");
            else if (form == "auth-file" && !secret.Unusable.IsEmpty)
                annotations.Error("auth-secret", $"of Secret '{secretName}' these cannot be checked and are refused: {string.Join(", ", secret.Unusable.Take(5))}. Write them with htpasswd -B");
            return Credentials.Basic(users, realm ?? "Authentication Required");
        }
    }
}
