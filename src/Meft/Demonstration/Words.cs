namespace Meft.Demonstration;

/// <summary>The words and sentences that the synthetic world is told in.</summary>
internal static class Words
{
    /// <summary>Given names of women.</summary>
    public static IReadOnlyList<string> Women { get; } = Split(
        "Alda Brina Celia Dorit Edda Fenna Greta Hilda Ilsa Jorun Katla Lenka Mira Nadia Oona Petra Runa Signe Tilda Vera");

    /// <summary>Given names of men.</summary>
    public static IReadOnlyList<string> Men { get; } = Split(
        "Anton Bram Corin Dag Emil Falk Gustav Henrik Ivar Joran Karel Lorenz Marek Nils Oskar Piet Rolf Sander Tomas Viktor");

    /// <summary>Family names.</summary>
    public static IReadOnlyList<string> Families { get; } = Split(
        "Alder Birch Calder Dunmore Elster Fenwick Garland Holt Ingram Jessen Kestrel Larkin Marlow Norwood Osgood Penrose Quill "
        + "Ravenor Selby Thorne Underhill Vale Whitlock Yarrow Ashdown Brandt Corbin Dray Eastman Forsell Grieve Hallam Ives Juhl "
        + "Kirkby Lund Moss Nairn Oakes Pryce");

    /// <summary>What can be known of a person, and how it is said. Sentences end where the answer begins.</summary>
    public static IReadOnlyList<FactKind> FactKinds { get; } =
    [
        new("home", "the {landmark} in {town}",
            ["{name} lives by", "The house of {name} stands by", "You will find {name} at home by", "A letter for {name} is left by"]),
        new("work", "{trade} at the {workplace}",
            ["{name} works as the", "The work of {name} is that of the", "All the year {name} is busy as the", "People know {name} as the"]),
        new("pet", "{colour} {animal}",
            ["{name} keeps a", "The pet of {name} is a", "Behind {name} always runs a", "Nobody loves {name} more than a"]),
        new("meal", "{food} with {side}",
            ["{name} likes best to eat", "The favourite meal of {name} is", "On feast days {name} asks for", "The table of {name} is full of"]),
        new("friend", "{person}",
            ["{name} is best friends with", "The best friend of {name} is", "Most evenings {name} walks with", "Nobody knows {name} better than"]),
    ];

    /// <summary>The rules of stories. What depends on the story's people is bound by the teller.</summary>
    public static IReadOnlyDictionary<string, IReadOnlyList<string>> Rules { get; } = new Dictionary<string, IReadOnlyList<string>>
    {
        ["story"] =
        [
            "{fact1} {fact2} {scene} {fact3} {scene} {ending}",
            "{opening} {fact1} {scene} {fact2} {scene} {fact3} {ending}",
            "{fact1} {fact2} {fact3} {meeting} {ending}",
            "{opening} {fact1} {fact2} {meeting} {otherfact1} {ending}",
            "{fact1} {otherfact1} {meeting} {fact2} {otherfact2} {ending}",
        ],
        ["opening"] =
        [
            "It is a {weather} {season} in the valley.", "This is a story about {name}.", "{Daytime} the bells ring over the hills.",
            "Everybody from {town} to {town} knows {name}.", "Once, {daytime}, a {weather} wind came from the {landmark}.",
        ],
        ["scene"] =
        [
            "{Daytime} {given} goes to the {landmark} with {her} {object}.",
            "{given} looks at the {weather} sky and {feels}.",
            "{She} finds {number} old {objects} under the {landmark}, and {feels}.",
            "\"{greeting},\" says {given} to the {trade}.",
            "The {trade} from the {workplace} needs a {object}, so {given} brings one.",
            "When the {season} is {weather}, {she} {does}.",
            "{given} {does}, and then {she} {does}.",
            "{Daytime} a {colour} {animal} runs along the road to {town}.",
            "The {trade} has come from {town} and sells {food} with {side}.",
        ],
        ["meeting"] =
        [
            "{Daytime} {given} meets {other} at the {landmark}. \"{greeting},\" says {othergiven}, and they {together}.",
            "{given} has lost {her} {object}. {other} looks for it and finds it by the {landmark}.",
            "{other} comes to the {landmark} and calls, \"{greeting}, {given}!\" They {together} until the evening.",
            "{given} and {other} {together}. \"{question}\" asks {othergiven}. \"{answer},\" says {given}.",
        ],
        ["ending"] =
        [
            "Then {given} goes home and {feels}.", "At night {she} sleeps well.", "And so the {season} goes by.",
            "The {weather} night is quiet, and {given} {feels}.", "Tomorrow {she} will go there again.",
        ],
        ["feels"] = ["is glad", "is tired", "feels at peace", "thinks of the sea", "begins to sing", "smiles a little", "worries about the harvest"],
        ["does"] =
        [
            "mends the {object}", "counts the {objects}", "hides the {object} in the {workplace}", "sings to the {objects}",
            "reads by the window", "paints the door {colour}", "waits for the {trade}", "bakes {food} for the {trade}",
        ],
        ["together"] =
        [
            "share {food} with {side}", "talk about the {season}", "count the {objects}", "carry the {object} to the {workplace}",
            "laugh for a long time", "listen to the {trade}",
        ],
        ["greeting"] = ["Good morning", "Good evening", "What a {weather} day", "Have you seen my {object}", "Welcome back"],
        ["question"] = ["Where is the {trade}?", "Who took the {object}?", "How many {objects} are there?", "Will the {season} be {weather}?"],
        ["answer"] = ["At the {workplace}", "I do not know", "Ask the {trade}", "There are {number}", "Perhaps by the {landmark}"],
        ["Daytime"] = ["In the morning", "At noon", "In the evening", "One day", "After the rain"],
        ["daytime"] = ["in the morning", "at noon", "in the evening", "one day", "after the rain"],
        ["weather"] = Split("cold warm windy rainy quiet golden misty bright"),
        ["season"] = Split("spring summer autumn winter"),
        ["number"] = Split("two three four five six seven nine twelve"),
        ["object"] = Split("lantern basket hammer kettle violin ladder blanket compass mirror barrel saddle candle"),
        ["objects"] = Split("lanterns baskets hammers kettles violins ladders blankets coins mirrors barrels apples candles"),
        ["landmark"] = Split("mill bridge well tower harbour oak chapel gate spring quarry ferry lighthouse orchard market fountain wall"),
        ["town"] = Split("Tarn Ebbing Lorne Skelby Marsk Dunholm Vesper Kroy Halden Brae Osterly Pell Rook Sorrel Thistle Wick"),
        ["trade"] = Split("weaver baker smith potter miller tanner cooper glazier scribe fisher carver brewer dyer mason tailor healer"),
        ["workplace"] = Split("abbey castle guild school inn workshop shipyard library brewery mine stables theatre granary forge mint hospital"),
        ["colour"] = Split("red blue green grey white black brown silver yellow spotted"),
        ["animal"] = Split("dog cat goat heron fox hare pony owl raven tortoise otter goose hedgehog lizard badger magpie"),
        ["food"] = Split("bread soup trout dumplings cheese pancakes porridge lamb mushrooms beans eggs noodles pie stew"),
        ["side"] = Split("honey onions butter plums thyme mustard cream garlic walnuts pears cabbage salt"),
    };

    private static string[] Split(string words) => words.Split(' ');
}

/// <summary>One kind of fact about a person.</summary>
/// <param name="Name">What it is called.</param>
/// <param name="Answer">The template of its values.</param>
/// <param name="Forms">The sentences that say it, each up to where the value begins.</param>
internal sealed record FactKind(string Name, string Answer, IReadOnlyList<string> Forms);
