using System.Collections.Immutable;
using Weft.Api.Core;
using Weft.Control.Mesh.Ingresses;
using Weft.Control.Mesh.Inputs;

namespace Weft.Control.Mesh.FrontDoor;

/// <summary>Which Secrets the front door looks at: those that Ingresses and policies name, and no others.</summary>
public static class DoorSecrets
{
    /// <summary>`namespace/name`.</summary>
    public static IReadOnlySet<string> Named(MeshInputs inputs)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var ingress in IngressClasses.Ours(inputs.Ingresses, inputs.IngressClasses))
        {
            var @namespace = ingress.Metadata.Namespace;
            // There may be thousands, and most have neither.
            if (ingress.Spec.Tls.Count > 0)
                names.UnionWith(ingress.Spec.Tls.Where(tls => !string.IsNullOrEmpty(tls.SecretName)).Select(tls => $"{@namespace}/{tls.SecretName}"));
            foreach (var prefix in ingress.Metadata.Annotations.Count == 0 ? [] : new[] { IngressAnnotations.Own, IngressAnnotations.Nginx })
            {
                if (ingress.Metadata.Annotations.GetValueOrDefault($"{prefix}auth-secret")?.Trim() is { Length: > 0 } secret)
                    names.Add($"{@namespace}/{secret[(secret.IndexOf('/') + 1)..]}");
            }
        }

        // A user's definition in place of ours may let in null where a list or a name is.
        foreach (var policy in inputs.ApiKeyPolicies)
        {
            names.UnionWith((policy.Spec?.Consumers ?? []).Select(consumer => consumer?.SecretRef?.Name).Concat((policy.Spec?.SecretRefs ?? []).Select(secret => secret?.Name))
                .Where(name => !string.IsNullOrEmpty(name)).Select(name => $"{policy.Metadata.Namespace}/{name}"));
        }

        names.UnionWith(inputs.JwtPolicies.SelectMany(policy => (policy.Spec?.Issuers ?? []).Select(issuer => issuer?.JwksFrom?.SecretRef?.Name).Where(name => !string.IsNullOrEmpty(name)).Select(name => $"{policy.Metadata.Namespace}/{name}")));
        names.UnionWith(inputs.BasicAuthPolicies.Where(policy => !string.IsNullOrEmpty(policy.Spec?.SecretRef?.Name)).Select(policy => $"{policy.Metadata.Namespace}/{policy.Spec.SecretRef.Name}"));
        return names;
    }

    /// <summary>What the compiler needs of them. Those whose part is as before are the same instances, so that nothing is compiled for them.</summary>
    /// <param name="find">By namespace and name; null: it is not there.</param>
    public static ImmutableArray<DoorSecret> Of(MeshInputs inputs, Func<string, string, Secret?> find)
    {
        var before = inputs.Secrets.ToDictionary(secret => $"{secret.Namespace}/{secret.Name}");
        ImmutableArray<DoorSecret> now =
        [
            .. Named(inputs).Order(StringComparer.Ordinal).Select(name => name.Split('/', 2)).Select(parts => find(parts[0], parts[1])).OfType<Secret>().Select(DoorSecret.Of)
                .Select(secret => before.TryGetValue($"{secret.Namespace}/{secret.Name}", out var old) && old == secret ? old : secret),
        ];
        return now.SequenceEqual(inputs.Secrets) ? inputs.Secrets : now;
    }
}
