using System.Text.Json.Nodes;

namespace Weft.ApiServer.Strategies.Pods;

/// <summary>Kubernetes' defaults of pod specs, for pods and for the templates of workloads.</summary>
internal static class PodDefaults
{
    // Permission bits 0644 of files from config maps, secrets and the downward API.
    private const int FileMode = 420;

    public static void Spec(JsonObject spec)
    {
        spec.Default("restartPolicy", "Always");
        spec.Default("dnsPolicy", "ClusterFirst");
        spec.Default("terminationGracePeriodSeconds", 30);
        spec.Default("schedulerName", "default-scheduler");
        spec.Ensure("securityContext");

        // The old name of the field is kept equal to the new one, as old clients read it.
        var account = spec.TextAt("serviceAccountName") is { Length: > 0 } name ? name : spec.TextAt("serviceAccount");
        if (account.Length > 0)
            (spec["serviceAccountName"], spec["serviceAccount"]) = (account, account);

        foreach (var volume in spec.Objects("volumes"))
            Volume(volume);
        foreach (var container in Containers(spec))
            Container(container);
        spec.CanonicalQuantities("overhead");
    }

    /// <summary>Defaults of a pod that its template does not get.</summary>
    public static void Pod(JsonObject spec)
    {
        spec.Default("enableServiceLinks", true);
        var host = spec.FlagAt("hostNetwork");
        foreach (var container in Containers(spec))
        {
            RequestsFromLimits(container);
            if (!host)
                continue;
            foreach (var port in container.Objects("ports"))
            {
                if (port.NumberAt("containerPort") is { } number)
                    port.DefaultPositive("hostPort", number);
            }
        }
    }

    public static IEnumerable<JsonObject> Containers(JsonObject spec) =>
        spec.Objects("initContainers").Concat(spec.Objects("containers")).Concat(spec.Objects("ephemeralContainers"));

    /// <summary>An image without a tag, or with `latest`, may change under its name: it is pulled always.</summary>
    public static string PullPolicy(string image)
    {
        if (image.Contains('@'))
            return "IfNotPresent";
        var tag = image.LastIndexOf(':');
        return tag < 0 || tag < image.LastIndexOf('/') || image[(tag + 1)..] == "latest" ? "Always" : "IfNotPresent";
    }

    private static void Container(JsonObject container)
    {
        container.Default("imagePullPolicy", PullPolicy(container.TextAt("image")));
        container.Default("terminationMessagePath", "/dev/termination-log");
        container.Default("terminationMessagePolicy", "File");
        var resources = container.Ensure("resources");
        resources.CanonicalQuantities("limits");
        resources.CanonicalQuantities("requests");

        foreach (var port in container.Objects("ports"))
            port.Default("protocol", "TCP");
        foreach (var variable in container.Objects("env"))
            References(variable.Object("valueFrom"));
        foreach (var probe in (string[])["livenessProbe", "readinessProbe", "startupProbe"])
            Probe(container.Object(probe));
        foreach (var hook in (string[])["postStart", "preStop"])
            HttpGet(container.Object("lifecycle").Object(hook));
    }

    private static void Probe(JsonObject? probe)
    {
        if (probe is null)
            return;
        probe.DefaultPositive("timeoutSeconds", 1);
        probe.DefaultPositive("periodSeconds", 10);
        probe.DefaultPositive("successThreshold", 1);
        probe.DefaultPositive("failureThreshold", 3);
        HttpGet(probe);
        probe.Object("grpc")?.Default("service", "");
    }

    private static void HttpGet(JsonObject? handler)
    {
        if (handler.Object("httpGet") is not { } get)
            return;
        get.Default("path", "/");
        get.Default("scheme", "HTTP");
    }

    private static void References(JsonObject? source)
    {
        source.Object("fieldRef")?.Default("apiVersion", "v1");
        if (source.Object("resourceFieldRef") is not { } resource)
            return;
        if (resource["divisor"] is null)
            resource["divisor"] = "0";
        resource.CanonicalQuantity("divisor");
    }

    private static void RequestsFromLimits(JsonObject container)
    {
        if (container.Object("resources").Object("limits") is not { Count: > 0 } limits || container["resources"]!.AsObject().Ensure("requests") is not { } requests)
            return;
        foreach (var (name, amount) in limits)
        {
            if (requests[name] is null && amount is not null)
                requests[name] = amount.DeepClone();
        }
    }

    private static void Volume(JsonObject volume)
    {
        // A name alone is an empty directory.
        if (volume.Count == 1 && volume.ContainsKey("name"))
            volume["emptyDir"] = new JsonObject();
        if (volume.Object("emptyDir") is { } emptyDir && emptyDir["sizeLimit"] is not null)
            emptyDir.CanonicalQuantity("sizeLimit");
        volume.Object("secret")?.Default("defaultMode", FileMode);
        volume.Object("configMap")?.Default("defaultMode", FileMode);
        if (volume.Object("hostPath") is { } hostPath && hostPath["type"] is null)
            hostPath["type"] = "";
        if (volume.Object("downwardAPI") is { } downward)
        {
            downward.Default("defaultMode", FileMode);
            Files(downward);
        }
        if (volume.Object("projected") is { } projected)
        {
            projected.Default("defaultMode", FileMode);
            foreach (var source in projected.Objects("sources"))
            {
                source.Object("serviceAccountToken")?.Default("expirationSeconds", 3600);
                Files(source.Object("downwardAPI"));
            }
        }
        volume.Object("ephemeral").Object("volumeClaimTemplate").Object("spec")?.Default("volumeMode", "Filesystem");
    }

    private static void Files(JsonObject? downward)
    {
        foreach (var file in downward.Objects("items"))
            References(file);
    }
}
