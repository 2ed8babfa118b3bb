namespace MeshTrust.Kind;

/// <summary>What is to be done about one cluster.</summary>
public enum KindAction
{
    /// <summary>There is none: make it.</summary>
    Create,

    /// <summary>It is ours, whole, and fits.</summary>
    Keep,

    /// <summary>It is ours and fits, but nodes do not run: start them.</summary>
    Start,

    /// <summary>It is ours and differs from what is wanted: it stays unless the user forces it.</summary>
    Differs,

    /// <summary>MeshTrust did not make it, or not from this work directory: it is not touched unless the user says so.</summary>
    Foreign,

    /// <summary>It is ours and half there: a run was ended while it was made, or its control planes are gone. It is made anew.</summary>
    HalfMade,
}
