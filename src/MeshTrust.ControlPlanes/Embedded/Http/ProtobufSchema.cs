namespace MeshTrust.ControlPlanes.Embedded.Http;

/// <summary>How a field of a protobuf message becomes JSON.</summary>
internal enum ProtobufForm
{
    Text,
    Boolean,
    Number,
    Time,
    Message,
    TextMap,
    BytesMap,
    RawJson,
}

/// <summary>One field of a message.</summary>
internal sealed record ProtobufField(string Name, ProtobufForm Form, ProtobufMessage? Message = null, bool Repeated = false);

/// <summary>The field numbers of a message.</summary>
internal sealed record ProtobufMessage(IReadOnlyDictionary<int, ProtobufField> Fields)
{
    private static readonly ProtobufMessage OwnerReference = new(new Dictionary<int, ProtobufField>
    {
        [1] = Text("kind"),
        [3] = Text("name"),
        [4] = Text("uid"),
        [5] = Text("apiVersion"),
        [6] = new("controller", ProtobufForm.Boolean),
        [7] = new("blockOwnerDeletion", ProtobufForm.Boolean),
    });

    private static readonly ProtobufMessage ManagedFieldsEntry = new(new Dictionary<int, ProtobufField>
    {
        [1] = Text("manager"),
        [2] = Text("operation"),
        [3] = Text("apiVersion"),
        [4] = new("time", ProtobufForm.Time),
        [6] = Text("fieldsType"),
        [7] = new("fieldsV1", ProtobufForm.RawJson),
        [8] = Text("subresource"),
    });

    private static readonly ProtobufMessage Metadata = new(new Dictionary<int, ProtobufField>
    {
        [1] = Text("name"),
        [2] = Text("generateName"),
        [3] = Text("namespace"),
        [4] = Text("selfLink"),
        [5] = Text("uid"),
        [6] = Text("resourceVersion"),
        [7] = new("generation", ProtobufForm.Number),
        [8] = new("creationTimestamp", ProtobufForm.Time),
        [9] = new("deletionTimestamp", ProtobufForm.Time),
        [10] = new("deletionGracePeriodSeconds", ProtobufForm.Number),
        [11] = new("labels", ProtobufForm.TextMap),
        [12] = new("annotations", ProtobufForm.TextMap),
        [13] = new("ownerReferences", ProtobufForm.Message, OwnerReference, Repeated: true),
        [14] = new("finalizers", ProtobufForm.Text, Repeated: true),
        [17] = new("managedFields", ProtobufForm.Message, ManagedFieldsEntry, Repeated: true),
    });

    /// <summary>The messages that a client may send, by kind (k8s.io/api core/v1, authorization/v1 and apimachinery meta/v1, generated.proto).</summary>
    public static readonly IReadOnlyDictionary<string, ProtobufMessage> ByKind = new Dictionary<string, ProtobufMessage>
    {
        ["Namespace"] = new(new Dictionary<int, ProtobufField>
        {
            [1] = new("metadata", ProtobufForm.Message, Metadata),
            [2] = new("spec", ProtobufForm.Message, new(new Dictionary<int, ProtobufField> { [1] = new("finalizers", ProtobufForm.Text, Repeated: true) })),
            [3] = new("status", ProtobufForm.Message, new(new Dictionary<int, ProtobufField> { [1] = Text("phase") })),
        }),
        ["Secret"] = new(new Dictionary<int, ProtobufField>
        {
            [1] = new("metadata", ProtobufForm.Message, Metadata),
            [2] = new("data", ProtobufForm.BytesMap),
            [3] = Text("type"),
            [4] = new("stringData", ProtobufForm.TextMap),
            [5] = new("immutable", ProtobufForm.Boolean),
        }),
        ["ConfigMap"] = new(new Dictionary<int, ProtobufField>
        {
            [1] = new("metadata", ProtobufForm.Message, Metadata),
            [2] = new("data", ProtobufForm.TextMap),
            [3] = new("binaryData", ProtobufForm.BytesMap),
            [4] = new("immutable", ProtobufForm.Boolean),
        }),
        ["DeleteOptions"] = new(new Dictionary<int, ProtobufField>
        {
            [1] = new("gracePeriodSeconds", ProtobufForm.Number),
            [2] = new("preconditions", ProtobufForm.Message, new(new Dictionary<int, ProtobufField> { [1] = Text("uid"), [2] = Text("resourceVersion") })),
            [4] = Text("propagationPolicy"),
            [5] = new("dryRun", ProtobufForm.Text, Repeated: true),
        }),
        ["SelfSubjectAccessReview"] = new(new Dictionary<int, ProtobufField>
        {
            [2] = new("spec", ProtobufForm.Message, new(new Dictionary<int, ProtobufField>
            {
                [1] = new("resourceAttributes", ProtobufForm.Message, new(new Dictionary<int, ProtobufField>
                {
                    [1] = Text("namespace"),
                    [2] = Text("verb"),
                    [3] = Text("group"),
                    [4] = Text("version"),
                    [5] = Text("resource"),
                    [6] = Text("subresource"),
                    [7] = Text("name"),
                })),
                [2] = new("nonResourceAttributes", ProtobufForm.Message, new(new Dictionary<int, ProtobufField> { [1] = Text("path"), [2] = Text("verb") })),
            })),
        }),
    };

    private static ProtobufField Text(string name) => new(name, ProtobufForm.Text);
}
