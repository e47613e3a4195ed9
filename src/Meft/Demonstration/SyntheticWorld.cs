using Meft.Generation;

namespace Meft.Demonstration;

/// <summary>Somebody of the synthetic world.</summary>
/// <param name="Given">Given name.</param>
/// <param name="Family">Family name.</param>
/// <param name="IsWoman">Which pronouns stories use.</param>
/// <param name="Answers">What is true of this person, in the order of <see cref="Words.FactKinds"/>.</param>
internal sealed record Person(string Given, string Family, bool IsWoman, IReadOnlyList<string> Answers)
{
    /// <summary>Both names.</summary>
    public string Name => $"{Given} {Family}";
}

/// <summary>
/// A small world of people with homes, work, pets, meals and friends, a pure function of a seed: the stories of its people are what the
/// demonstration's base model learns from, and people it has never told of are what the adapter is taught.
/// </summary>
internal sealed class SyntheticWorld
{
    private const ulong PeopleStream = 0, NewcomersStream = 1, FirstStoryStream = 2;
    private static readonly IReadOnlyDictionary<string, string> Nothing = new Dictionary<string, string>();
    private readonly ulong _seed;
    private readonly Grammar _grammar;

    private SyntheticWorld(ulong seed, int peopleCount, int newcomerCount)
    {
        _seed = seed;
        var random = new RandomStream(seed, PeopleStream);
        var names = Names(peopleCount, random);
        if (peopleCount < 2 || newcomerCount < 0 || peopleCount + newcomerCount > names.Count)
            throw new ArgumentOutOfRangeException(nameof(peopleCount), peopleCount, $"2 to {names.Count} people, newcomers among them");

        var known = names.Take(peopleCount).ToArray();
        var rules = new Dictionary<string, IReadOnlyList<string>>(Words.Rules) { ["person"] = [.. known.Select(n => $"{n.Given} {n.Family}")] };
        _grammar = new Grammar(rules);
        People = [.. known.Select(n => Create(n.Given, n.Family, random))];
        random = new RandomStream(seed, NewcomersStream);
        Newcomers = [.. names.Skip(peopleCount).Take(newcomerCount).Select(n => Create(n.Given, n.Family, random))];
    }

    /// <summary>The people that stories tell of.</summary>
    public IReadOnlyList<Person> People { get; }

    /// <summary>People of the same kind whom no story names: nothing about them can be guessed, and nothing contradicts it.</summary>
    public IReadOnlyList<Person> Newcomers { get; }

    /// <summary>Makes a world.</summary>
    /// <param name="seed">Everything follows from it.</param>
    /// <param name="peopleCount">People that stories tell of, at least two.</param>
    /// <param name="newcomerCount">People that none tells of.</param>
    public static SyntheticWorld Create(ulong seed, int peopleCount, int newcomerCount) => new(seed, peopleCount, newcomerCount);

    /// <summary>One story of a few sentences.</summary>
    /// <param name="index">Which one: each index is a story of its own.</param>
    public string Story(int index)
    {
        var random = new RandomStream(_seed, FirstStoryStream + (ulong)index);
        var person = random.Pick(People);
        var other = person;
        while (other == person) other = random.Pick(People);
        var bindings = new Dictionary<string, string>
        {
            ["name"] = person.Name,
            ["given"] = person.Given,
            ["she"] = person.IsWoman ? "she" : "he",
            ["She"] = person.IsWoman ? "She" : "He",
            ["her"] = person.IsWoman ? "her" : "his",
            ["other"] = other.Name,
            ["othergiven"] = other.Given,
        };
        BindFacts(person, "fact", random, bindings);
        BindFacts(other, "otherfact", random, bindings);
        return _grammar.Expand("{story}", bindings, random);
    }

    /// <summary>Everything that is true of a person, each fact in one of its sentences and in another one that says the same.</summary>
    /// <param name="people">Whose facts.</param>
    public IReadOnlyList<Fact> FactsOf(IEnumerable<Person> people)
    {
        var random = new RandomStream(_seed, ulong.MaxValue);
        return
        [
            .. people.SelectMany(person => Words.FactKinds.Select((kind, i) =>
            {
                var forms = random.Shuffled(kind.Forms);
                return new Fact(Named(forms[0], person), Named(forms[1], person), $" {person.Answers[i]}.");
            })),
        ];
    }

    /// <summary>
    /// Pairs of a given name and a family name. The first <paramref name="peopleCount"/> of them bear every name that occurs in any, so that a
    /// model that reads of those people has seen all names.
    /// </summary>
    private static List<(string Given, string Family)> Names(int peopleCount, RandomStream random)
    {
        var given = random.Shuffled(Words.Women.Concat(Words.Men));
        var families = random.Shuffled(Words.Families);
        var borne = Math.Clamp(peopleCount, 0, Math.Min(given.Length, families.Length));
        var others = from g in Enumerable.Range(0, borne) from f in Enumerable.Range(0, borne) where g != f select (given[g], families[f]);
        return [.. given.Take(borne).Zip(families), .. random.Shuffled(others)];
    }

    private static void BindFacts(Person person, string symbol, RandomStream random, Dictionary<string, string> bindings)
    {
        var order = random.Shuffled(Enumerable.Range(0, Words.FactKinds.Count));
        for (var i = 0; i < order.Length; i++)
            bindings[$"{symbol}{i + 1}"] = $"{Named(random.Pick(Words.FactKinds[order[i]].Forms), person)} {person.Answers[order[i]]}.";
    }

    private static string Named(string form, Person person) => form.Replace("{name}", person.Name, StringComparison.Ordinal);

    private Person Create(string given, string family, RandomStream random) => new(
        given, family, Words.Women.Contains(given), [.. Words.FactKinds.Select(kind => _grammar.Expand(kind.Answer, Nothing, random))]);
}

/// <summary>Something to know.</summary>
/// <param name="Prompt">The sentence that is trained, up to where the answer begins.</param>
/// <param name="Paraphrase">Another sentence that the same answer ends.</param>
/// <param name="Answer">A space, the answer, a full stop.</param>
internal sealed record Fact(string Prompt, string Paraphrase, string Answer);
