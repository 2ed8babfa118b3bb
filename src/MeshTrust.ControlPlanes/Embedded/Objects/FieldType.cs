namespace MeshTrust.ControlPlanes.Embedded.Objects;

/// <summary>The shape of a field, and so how its ownership is told: whole, key by key, or element by element.</summary>
internal abstract record FieldType
{
    public static readonly ScalarField Text = new(ScalarKind.Text);
    public static readonly ScalarField Bytes = new(ScalarKind.Base64);
    public static readonly ScalarField Boolean = new(ScalarKind.Boolean);
    public static readonly ScalarField Number = new(ScalarKind.Number);
    public static readonly MapField TextMap = new(Text);
    public static readonly MapField BytesMap = new(Bytes);
    public static readonly SetField TextSet = new();
    public static readonly AtomicField Atomic = new();
}

/// <summary>What a scalar may hold.</summary>
internal enum ScalarKind
{
    Text,
    Base64,
    Boolean,
    Number,
}

/// <summary>One value.</summary>
internal sealed record ScalarField(ScalarKind Kind) : FieldType;

/// <summary>A map whose keys are owned one by one.</summary>
internal sealed record MapField(ScalarField Value) : FieldType;

/// <summary>A list of texts whose elements are owned one by one.</summary>
internal sealed record SetField : FieldType;

/// <summary>A value that is owned as a whole, whatever is in it.</summary>
internal sealed record AtomicField : FieldType;

/// <summary>A record of named fields; it is never owned itself.</summary>
internal sealed record StructField(IReadOnlyDictionary<string, FieldType> Fields) : FieldType;
