using System.Text.Json.Nodes;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Tests.Strategies;

/// <summary>A good object of each kind, from which the cases make bad ones.</summary>
internal static class StrategyCases
{
    public static JsonObject Deployment => Subject.Parse("""
        {"metadata":{"name":"web","namespace":"default"},"spec":{"selector":{"matchLabels":{"app":"web"}},
         "template":{"metadata":{"labels":{"app":"web"}},"spec":{"containers":[{"name":"c","image":"nginx:1"}]}}}}
        """);

    public static JsonObject Service => Subject.Parse("""
        {"metadata":{"name":"web","namespace":"default"},"spec":{"selector":{"app":"web"},"ports":[{"port":80,"name":"http"}]}}
        """);

    public static JsonObject Crd => Subject.Parse("""
        {"metadata":{"name":"widgets.example.com"},"spec":{"group":"example.com","scope":"Namespaced","names":{"plural":"widgets","kind":"Widget"},
         "versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object","properties":{
           "spec":{"type":"object","properties":{"size":{"type":"integer","minimum":0},"parts":{"type":"array","items":{"type":"object","required":["name"],"properties":{"name":{"type":"string"}}}}}}}}}}]}}
        """);

    public static JsonObject StatefulSet => Subject.Parse("""
        {"metadata":{"name":"db","namespace":"default"},"spec":{"serviceName":"db","selector":{"matchLabels":{"app":"db"}},
         "template":{"metadata":{"labels":{"app":"db"}},"spec":{"containers":[{"name":"c","image":"db:1","volumeMounts":[{"name":"data","mountPath":"/data"}]}]}},
         "volumeClaimTemplates":[{"metadata":{"name":"data"},"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}}}}]}}
        """);

    public static JsonObject Job => Subject.Parse("""
        {"metadata":{"name":"once","namespace":"default"},"spec":{"template":{"spec":{"restartPolicy":"Never","containers":[{"name":"c","image":"busybox:1"}]}}}}
        """);

    public static JsonObject CronJob => Subject.Parse("""
        {"metadata":{"name":"often","namespace":"default"},"spec":{"schedule":"*/5 * * * *","timeZone":"Etc/UTC",
         "jobTemplate":{"spec":{"template":{"spec":{"restartPolicy":"OnFailure","containers":[{"name":"c","image":"busybox:1"}]}}}}}}
        """);

    public static JsonObject Policy => Subject.Parse("""
        {"metadata":{"name":"p","namespace":"default"},"spec":{"podSelector":{},"ingress":[{"from":[{"podSelector":{}},{"ipBlock":{"cidr":"10.0.0.0/8","except":["10.1.0.0/16"]}}],
         "ports":[{"port":80,"endPort":90},{"port":"dns","protocol":"UDP"}]}]}}
        """);

    public static JsonObject Ingress => Subject.Parse("""
        {"metadata":{"name":"web","namespace":"default"},"spec":{"rules":[{"host":"*.example.com","http":{"paths":[{"path":"/","pathType":"Prefix",
         "backend":{"service":{"name":"web","port":{"number":80}}}}]}}]}}
        """);

    /// <summary>Kind (plural, group), and the good object.</summary>
    public static IReadOnlyDictionary<string, JsonObject> Good { get; } = new Dictionary<string, JsonObject>
    {
        ["pods"] = PodValidationTests.Good,
        ["deployments.apps"] = Deployment,
        ["replicasets.apps"] = Deployment,
        ["services"] = Service,
        ["customresourcedefinitions.apiextensions.k8s.io"] = Crd,
        ["controllerrevisions.apps"] = Subject.Parse("""{"metadata":{"name":"r","namespace":"default"},"data":{"a":1},"revision":1}"""),
        ["configmaps"] = Subject.Parse("""{"metadata":{"name":"c","namespace":"default"},"data":{"a":"b"},"binaryData":{"c":"AAE="}}"""),
        ["secrets"] = Subject.Parse("""{"metadata":{"name":"s","namespace":"default"},"data":{"a":"AAE="}}"""),
        ["serviceaccounts"] = Subject.Parse("""{"metadata":{"name":"sa","namespace":"default"}}"""),
        ["namespaces"] = Subject.Parse("""{"metadata":{"name":"team"}}"""),
        ["nodes"] = Subject.Parse("""{"metadata":{"name":"n1"},"spec":{"podCIDR":"10.1.0.0/24","taints":[{"key":"a","effect":"NoSchedule"}]},"status":{"capacity":{"cpu":4,"memory":"1024Mi"}}}"""),
        ["endpoints"] = Subject.Parse("""{"metadata":{"name":"web","namespace":"default"},"subsets":[{"addresses":[{"ip":"10.0.0.1"}],"ports":[{"port":80}]}]}"""),
        ["endpointslices.discovery.k8s.io"] = Subject.Parse("""{"metadata":{"name":"web-1","namespace":"default"},"addressType":"IPv4","endpoints":[{"addresses":["10.0.0.1"],"conditions":{"ready":true}}],"ports":[{"port":80}]}"""),
        ["events"] = Subject.Parse("""{"metadata":{"name":"e.1","namespace":"default"},"involvedObject":{"kind":"Pod","namespace":"default","name":"a"},"reason":"Started","type":"Normal","count":1}"""),
        ["events.events.k8s.io"] = Subject.Parse("""{"metadata":{"name":"e.1","namespace":"default"},"eventTime":"2026-01-02T03:04:05.000006Z","reportingController":"example.com/c","reportingInstance":"c-1","action":"Start","reason":"Started","type":"Normal"}"""),
        ["leases.coordination.k8s.io"] = Subject.Parse("""{"metadata":{"name":"l","namespace":"default"},"spec":{"holderIdentity":"a","leaseDurationSeconds":15,"renewTime":"2026-01-02T03:04:05.000006Z"}}"""),
        ["runtimeclasses.node.k8s.io"] = Subject.Parse("""{"metadata":{"name":"host"},"handler":"process"}"""),
        ["priorityclasses.scheduling.k8s.io"] = Subject.Parse("""{"metadata":{"name":"high"},"value":1000}"""),
        ["roles.rbac.authorization.k8s.io"] = Subject.Parse("""{"metadata":{"name":"system:reader","namespace":"default"},"rules":[{"verbs":["get"],"apiGroups":[""],"resources":["pods"]}]}"""),
        ["clusterroles.rbac.authorization.k8s.io"] = Subject.Parse("""{"metadata":{"name":"system:reader"},"rules":[{"verbs":["get"],"nonResourceURLs":["/healthz"]}]}"""),
        ["rolebindings.rbac.authorization.k8s.io"] = Subject.Parse("""{"metadata":{"name":"b","namespace":"default"},"roleRef":{"kind":"Role","name":"r"},"subjects":[{"kind":"User","name":"u"},{"kind":"ServiceAccount","name":"sa","namespace":"default"}]}"""),
        ["clusterrolebindings.rbac.authorization.k8s.io"] = Subject.Parse("""{"metadata":{"name":"b"},"roleRef":{"kind":"ClusterRole","name":"r"},"subjects":[{"kind":"Group","name":"g"}]}"""),
        ["persistentvolumes"] = Subject.Parse("""{"metadata":{"name":"disk"},"spec":{"capacity":{"storage":"1024Mi"},"accessModes":["ReadWriteOnce"],"hostPath":{"path":"/srv/data"},"claimRef":{"namespace":"default","name":"data"}}}"""),
        ["persistentvolumeclaims"] = Subject.Parse("""{"metadata":{"name":"data","namespace":"default"},"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1024Mi"}}}}"""),
        ["storageclasses.storage.k8s.io"] = Subject.Parse("""{"metadata":{"name":"local"},"provisioner":"weft.dev/local","parameters":{"a":"b"}}"""),
        ["replicationcontrollers"] = Subject.Parse("""
            {"metadata":{"name":"web","namespace":"default"},"spec":{"template":{"metadata":{"labels":{"app":"web"}},"spec":{"containers":[{"name":"c","image":"nginx:1"}]}}}}
            """),
        ["limitranges"] = Subject.Parse("""
            {"metadata":{"name":"limits","namespace":"default"},"spec":{"limits":[{"type":"Container","max":{"cpu":"2"},"min":{"cpu":"100m"},"maxLimitRequestRatio":{"cpu":"4"}},
             {"type":"Pod","max":{"memory":"1024Mi"}},{"type":"PersistentVolumeClaim","min":{"storage":"1Gi"}}]}}
            """),
        ["resourcequotas"] = Subject.Parse("""
            {"metadata":{"name":"quota","namespace":"default"},"spec":{"hard":{"pods":"4","requests.cpu":"1000m","limits.memory":"1Gi"},"scopes":["NotTerminating"],
             "scopeSelector":{"matchExpressions":[{"scopeName":"PriorityClass","operator":"In","values":["high"]}]}}}
            """),
        ["statefulsets.apps"] = StatefulSet,
        ["daemonsets.apps"] = Deployment,
        ["jobs.batch"] = Job,
        ["cronjobs.batch"] = CronJob,
        ["poddisruptionbudgets.policy"] = Subject.Parse("""{"metadata":{"name":"b","namespace":"default"},"spec":{"minAvailable":"50%","selector":{"matchLabels":{"app":"web"}}}}"""),
        ["horizontalpodautoscalers.autoscaling@v2"] = Subject.Parse("""
            {"metadata":{"name":"web","namespace":"default"},"spec":{"scaleTargetRef":{"apiVersion":"apps/v1","kind":"Deployment","name":"web"},"minReplicas":2,"maxReplicas":10,
             "metrics":[{"type":"Resource","resource":{"name":"cpu","target":{"type":"Utilization","averageUtilization":50}}},
              {"type":"ContainerResource","containerResource":{"name":"memory","container":"c","target":{"type":"AverageValue","averageValue":"100Mi"}}},
              {"type":"Pods","pods":{"metric":{"name":"requests"},"target":{"type":"AverageValue","averageValue":"1k"}}},
              {"type":"Object","object":{"metric":{"name":"hits","selector":{"matchLabels":{"a":"b"}}},"describedObject":{"apiVersion":"v1","kind":"Service","name":"web"},"target":{"type":"Value","value":"10"}}},
              {"type":"External","external":{"metric":{"name":"queue","selector":{"matchLabels":{"a":"b"}}},"target":{"type":"AverageValue","averageValue":"30"}}}],
             "behavior":{"scaleDown":{"stabilizationWindowSeconds":60,"policies":[{"type":"Pods","value":1,"periodSeconds":60}]}}}}
            """),
        ["horizontalpodautoscalers.autoscaling@v1"] = Subject.Parse("""
            {"metadata":{"name":"web","namespace":"default"},"spec":{"scaleTargetRef":{"apiVersion":"apps/v1","kind":"Deployment","name":"web"},"maxReplicas":10,"targetCPUUtilizationPercentage":70}}
            """),
        ["nodes.metrics.k8s.io"] = Subject.Parse("""{"metadata":{"name":"n1"},"timestamp":"2026-01-02T03:04:05Z","window":"10s","usage":{"cpu":"1"}}"""),
        ["pods.metrics.k8s.io"] = Subject.Parse("""{"metadata":{"name":"p","namespace":"default"},"timestamp":"2026-01-02T03:04:05Z","window":"10s","containers":[]}"""),
        ["pods.custom.metrics.k8s.io@v1beta2"] = MetricValues("v1beta2"),
        ["pods.custom.metrics.k8s.io@v1beta1"] = MetricValues("v1beta1"),
        ["services.custom.metrics.k8s.io@v1beta2"] = MetricValues("v1beta2"),
        ["services.custom.metrics.k8s.io@v1beta1"] = MetricValues("v1beta1"),
        ["networkpolicies.networking.k8s.io"] = Policy,
        ["ingresses.networking.k8s.io"] = Ingress,
        ["ingressclasses.networking.k8s.io"] = Subject.Parse("""{"metadata":{"name":"weft"},"spec":{"controller":"weft.dev/gateway"}}"""),
        ["mutatingwebhookconfigurations.admissionregistration.k8s.io"] = Subject.Parse("""
            {"metadata":{"name":"m"},"webhooks":[{"name":"a.b.example.com","clientConfig":{"service":{"name":"hook","namespace":"default"}},"sideEffects":"None","admissionReviewVersions":["v1"],
             "rules":[{"operations":["CREATE"],"apiGroups":[""],"apiVersions":["v1"],"resources":["pods","pods/status"]}],"matchConditions":[{"name":"c","expression":"object.metadata.name != 'x'"}]}]}
            """),
        ["validatingwebhookconfigurations.admissionregistration.k8s.io"] = Subject.Parse("""
            {"metadata":{"name":"v"},"webhooks":[{"name":"a.b.example.com","clientConfig":{"url":"https://hook.example.com/check"},"sideEffects":"NoneOnDryRun","admissionReviewVersions":["v1","v1beta1"],
             "rules":[{"operations":["*"],"apiGroups":["*"],"apiVersions":["*"],"resources":["*/*"],"scope":"Namespaced"}]}]}
            """),
        ["validatingadmissionpolicies.admissionregistration.k8s.io"] = Subject.Parse("""
            {"metadata":{"name":"p"},"spec":{"matchConstraints":{"resourceRules":[{"operations":["CREATE"],"apiGroups":["apps"],"apiVersions":["v1"],"resources":["deployments"]}]},
             "variables":[{"name":"n","expression":"object.spec.replicas"}],"validations":[{"expression":"variables.n <= 5","message":"too many"}],"auditAnnotations":[{"key":"n","valueExpression":"string(variables.n)"}]}}
            """),
        ["validatingadmissionpolicybindings.admissionregistration.k8s.io"] = Subject.Parse("""{"metadata":{"name":"b"},"spec":{"policyName":"p","validationActions":["Deny","Audit"]}}"""),
        ["tokenreviews.authentication.k8s.io"] = Subject.Parse("""{"spec":{"token":"t"}}"""),
        ["selfsubjectreviews.authentication.k8s.io"] = Subject.Parse("{}"),
        ["subjectaccessreviews.authorization.k8s.io"] = Subject.Parse("""{"kind":"SubjectAccessReview","spec":{"user":"u","resourceAttributes":{"verb":"get"}}}"""),
        ["selfsubjectaccessreviews.authorization.k8s.io"] = Subject.Parse("""{"kind":"SelfSubjectAccessReview","spec":{"nonResourceAttributes":{"path":"/","verb":"get"}}}"""),
        ["localsubjectaccessreviews.authorization.k8s.io"] = Subject.Parse("""{"kind":"LocalSubjectAccessReview","metadata":{"namespace":"default"},"spec":{"groups":["g"],"resourceAttributes":{"verb":"get"}}}"""),
        ["selfsubjectrulesreviews.authorization.k8s.io"] = Subject.Parse("""{"kind":"SelfSubjectRulesReview","spec":{"namespace":"default"}}"""),
    };

    /// <summary>Group and plural, and the version of a resource that is served in more than one: `horizontalpodautoscalers.autoscaling@v1`.</summary>
    public static string NameOf(ResourceInfo resource) =>
        Subject.Resources.Count(other => other.Resource.Qualified == resource.Resource.Qualified) > 1 ? $"{resource.Resource.Qualified}@{resource.Resource.Version}" : resource.Resource.Qualified;

    private static JsonObject MetricValues(string version) => Subject.Parse($$"""
        {"apiVersion":"custom.metrics.k8s.io/{{version}}","kind":"MetricValueList","metadata":{"name":"p","namespace":"default"},
         "items":[{"describedObject":{"kind":"Pod","namespace":"default","name":"p","apiVersion":"v1"},"metric":{"name":"requests_per_second"},"timestamp":"2026-01-02T03:04:05Z","value":"5"}]}
        """);

    public static Subject Kind(string qualified)
    {
        var at = qualified.IndexOf('@');
        var (name, version) = at < 0 ? (qualified, null) : (qualified[..at], qualified[(at + 1)..]);
        var dot = name.IndexOf('.');
        return dot < 0 ? Subject.Of(name, "", version) : Subject.Of(name[..dot], name[(dot + 1)..], version);
    }
}
