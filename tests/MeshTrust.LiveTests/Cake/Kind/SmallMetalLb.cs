namespace MeshTrust.Tests.Cake.Kind;

/// <summary>A manifest with MetalLB's object names but no real workloads: an API server accepts its objects as it accepts MetalLB's.</summary>
internal static class SmallMetalLb
{
    /// <summary>The manifest; its webhook points to a URL instead of a Service, because there are no pods.</summary>
    internal static string Manifest(string webhook) => $$"""
        apiVersion: v1
        kind: Namespace
        metadata:
          name: metallb-system
          labels: {made-by: small-metallb}
        ---
        {{Definition("IPAddressPool", "ipaddresspools")}}
        ---
        {{Definition("L2Advertisement", "l2advertisements")}}
        ---
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: controller, namespace: metallb-system}
        spec:
          selector:
            matchLabels: {component: controller}
          template:
            metadata:
              labels: {component: controller}
            spec:
              containers:
              - {name: controller, image: "registry.example/controller:v0"}
        ---
        apiVersion: apps/v1
        kind: DaemonSet
        metadata: {name: speaker, namespace: metallb-system}
        spec:
          selector:
            matchLabels: {component: speaker}
          template:
            metadata:
              labels: {component: speaker}
            spec:
              containers:
              - {name: speaker, image: "registry.example/speaker:v0"}
        ---
        apiVersion: admissionregistration.k8s.io/v1
        kind: ValidatingWebhookConfiguration
        metadata: {name: metallb-webhook-configuration}
        webhooks:
        - name: ipaddresspoolvalidationwebhook.metallb.io
          admissionReviewVersions: [v1]
          sideEffects: None
          failurePolicy: Fail
          clientConfig: {url: "{{webhook}}/validate"}
          rules:
          - apiGroups: [metallb.io]
            apiVersions: [v1beta1]
            operations: [CREATE, UPDATE]
            resources: [ipaddresspools]

        """;

    private static string Definition(string kind, string plural) => $$"""
        apiVersion: apiextensions.k8s.io/v1
        kind: CustomResourceDefinition
        metadata: {name: {{plural}}.metallb.io}
        spec:
          group: metallb.io
          names: {kind: {{kind}}, plural: {{plural}}, singular: {{kind.ToLowerInvariant()}}, listKind: {{kind}}List}
          scope: Namespaced
          versions:
          - name: v1beta1
            served: true
            storage: true
            schema:
              openAPIV3Schema:
                type: object
                properties:
                  spec: {type: object, x-kubernetes-preserve-unknown-fields: true}
        """;
}
