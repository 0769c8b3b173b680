"""Tools that requests are made for, and questions that none of them helps with."""

from __future__ import annotations

from gradus.engine.sources.tools_form import Argument, Missing, Tool, same

CITIES = same(
    "Lisbon", "Oslo", "Nairobi", "Lima", "Hanoi", "Quito", "Zagreb", "Perth", "Accra", "Turin", "Kyoto", "Cork"
)
PEOPLE = same("Amara", "Björn", "Chen", "Divya", "Elif", "Farid", "Greta", "Hugo", "Ines", "Jonas", "Keiko", "Luca")
DAYS = {
    "2027-01-05": "5 January 2027", "2027-02-14": "14 February 2027", "2027-03-03": "3 March 2027",
    "2027-05-21": "21 May 2027", "2027-07-09": "9 July 2027", "2027-10-30": "30 October 2027",
}  # fmt: skip
TIMES = {
    "07:15": "7:15 am",
    "09:30": "9:30 am",
    "12:00": "noon",
    "14:45": "2:45 pm",
    "18:20": "6:20 pm",
    "21:00": "9 pm",
}
MONEY = {"EUR": "euros", "USD": "US dollars", "GBP": "British pounds", "JPY": "Japanese yen", "CHF": "Swiss francs"}
ROOMS = same("kitchen", "bedroom", "hall", "office", "bathroom", "garage")
TONGUES = {"de": "German", "fr": "French", "es": "Spanish", "sw": "Swahili", "ja": "Japanese", "pt": "Portuguese"}
DATE, CLOCK = "As YYYY-MM-DD", "As HH:MM, 24 hours"

TOOLS = (
    Tool(
        name="get_weather",
        about="The weather forecast of a city for one day.",
        needed={
            "city": Argument(type="string", about="The city's name", values=CITIES),
            "date": Argument(type="string", about=DATE, values=DAYS),
        },
        more={
            "unit": Argument(
                type="string",
                about="Of temperatures",
                values={"celsius": "Celsius", "fahrenheit": "Fahrenheit"},
                clause=" Give temperatures in {unit}.",
                default="celsius",
                listed=True,
            )
        },
        asks=(
            "What will the weather be like in {city} on {date}?",
            "I travel to {city} on {date}. How will the weather be?",
        ),
        without={
            "city": Missing(
                ask="What will the weather be like on {date}?", words=("city", "where", "place", "location")
            ),
            "date": Missing(
                ask="I travel to {city} soon. How will the weather be that day?", words=("when", "date", "day")
            ),
        },
    ),
    Tool(
        name="convert_currency",
        about="Converts an amount of money at today's rate.",
        needed={
            "amount": Argument(type="number", about="How much", values=same(20, 75.5, 120, 999, 1500, 42.25)),
            "source": Argument(type="string", about="Currency to convert from, ISO 4217", values=MONEY),
            "target": Argument(type="string", about="Currency to convert to, ISO 4217", values=MONEY),
        },
        asks=("How much are {amount} {source} in {target}?", "Convert {amount} {source} into {target}."),
        without={
            "target": Missing(
                ask="Please convert {amount} {source} for me.", words=("currency", "into", "which", "what")
            ),
            "amount": Missing(ask="Convert my {source} into {target}.", words=("how much", "how many", "amount")),
        },
    ),
    Tool(
        name="create_event",
        about="Puts an event into the calendar.",
        needed={
            "title": Argument(
                type="string", about="What it is", values=same("dentist", "team lunch", "yoga", "piano lesson")
            ),
            "date": Argument(type="string", about=DATE, values=DAYS),
            "time": Argument(type="string", about=CLOCK, values=TIMES),
        },
        more={
            "minutes": Argument(
                type="integer",
                about="How long it lasts",
                values=same(15, 45, 90, 120),
                default=60,
                clause=" It lasts {minutes} minutes.",
            )
        },
        asks=(
            'Put "{title}" into my calendar on {date} at {time}.',
            'Add the event "{title}" on {date} at {time}, please.',
        ),
        without={
            "time": Missing(ask='Put "{title}" into my calendar on {date}.', words=("time", "when", "hour", "o'clock")),
            "date": Missing(ask='Add the event "{title}" at {time}, please.', words=("date", "day", "when")),
        },
    ),
    Tool(
        name="send_message",
        about="Sends a text message to a contact.",
        needed={
            "recipient": Argument(type="string", about="The contact's name", values=PEOPLE),
            "text": Argument(
                type="string",
                about="What it says, word for word",
                values=same(
                    "I am late", "See you tomorrow", "Happy birthday", "The keys are at the desk", "Call me back"
                ),
            ),
        },
        asks=('Text {recipient}: "{text}"', 'Send {recipient} the message "{text}"'),
        without={
            "recipient": Missing(ask='Send the message "{text}"', words=("who", "whom", "recipient", "contact")),
            "text": Missing(ask="Send {recipient} a message.", words=("what", "text", "say", "message")),
        },
    ),
    Tool(
        name="set_light",
        about="Sets how bright the light of a room is.",
        needed={
            "room": Argument(type="string", about="Which room", values=ROOMS, listed=True),
            "percent": Argument(type="integer", about="Brightness, 0 to 100", values=same(0, 15, 30, 55, 80, 100)),
        },
        asks=("Set the light in the {room} to {percent} percent.", "I want {percent}% light in the {room}."),
        without={
            "room": Missing(ask="Set the light to {percent} percent.", words=("room", "where", "which light")),
            "percent": Missing(ask="Set the light in the {room}.", words=("bright", "percent", "how much", "level")),
        },
    ),
    Tool(
        name="set_heating",
        about="Sets the temperature of a room.",
        needed={
            "room": Argument(type="string", about="Which room", values=ROOMS, listed=True),
            "degrees": Argument(type="number", about="In degrees Celsius", values=same(17, 18.5, 19, 20.5, 21, 22)),
        },
        asks=("Heat the {room} to {degrees} °C.", "I would like {degrees} degrees Celsius in the {room}."),
        without={
            "room": Missing(ask="Heat to {degrees} °C, please.", words=("room", "where")),
            "degrees": Missing(ask="Change the heating in the {room}.", words=("temperature", "degrees", "warm")),
        },
    ),
    Tool(
        name="play_music",
        about="Plays music of a genre.",
        needed={
            "genre": Argument(type="string", about="The genre", values=same("jazz", "samba", "techno", "folk", "opera"))
        },
        more={
            "room": Argument(
                type="string", about="Where; everywhere if left out", values=ROOMS, clause=" Only in the {room}."
            ),
            "shuffle": Argument(
                type="boolean",
                about="In random order?",
                values={True: "shuffled"},
                clause=" Have it {shuffle}.",
                default=False,
            ),
        },
        asks=("Play some {genre}.", "I am in the mood for {genre}. Play it, please."),
        without={
            "genre": Missing(ask="Play some music of my favourite genre.", words=("genre", "kind", "what", "which"))
        },
    ),
    Tool(
        name="find_flights",
        about="Looks up flights between two cities on a day.",
        needed={
            "origin": Argument(type="string", about="City to leave from", values=CITIES),
            "destination": Argument(type="string", about="City to arrive in", values=CITIES),
            "date": Argument(type="string", about=DATE, values=DAYS),
        },
        more={
            "seats": Argument(
                type="integer",
                about="How many travel",
                values=same(2, 3, 4, 6),
                clause=" We are {seats} people.",
                default=1,
            )
        },
        asks=(
            "Which flights go from {origin} to {destination} on {date}?",
            "Find me a flight from {origin} to {destination} on {date}.",
        ),
        without={
            "origin": Missing(
                ask="Find me a flight to {destination} on {date}.", words=("from", "where", "origin", "depart")
            ),
            "date": Missing(ask="Find me a flight from {origin} to {destination}.", words=("when", "date", "day")),
        },
    ),
    Tool(
        name="book_table",
        about="Books a table in a restaurant.",
        needed={
            "restaurant": Argument(
                type="string",
                about="Its name",
                values=same("Blue Door", "Casa Nostra", "Old Mill", "Lotus Garden", "Chez Anne"),
            ),
            "people": Argument(type="integer", about="How many", values=same(2, 3, 4, 5, 7, 8)),
            "time": Argument(type="string", about=CLOCK, values=TIMES),
        },
        asks=(
            "Book a table for {people} at {restaurant} tonight, at {time}.",
            "{people} of us want to eat at {restaurant} at {time}. Book it.",
        ),
        without={
            "people": Missing(
                ask="Book a table at {restaurant} at {time}.", words=("how many", "people", "guests", "party")
            ),
            "restaurant": Missing(
                ask="Book a table for {people} at {time}.", words=("restaurant", "where", "which place")
            ),
        },
    ),
    Tool(
        name="translate",
        about="Translates a text.",
        needed={
            "text": Argument(
                type="string",
                about="What to translate",
                values=same("good morning", "the train is late", "where is the exit", "thank you"),
            ),
            "language": Argument(type="string", about="Into which, ISO 639-1", values=TONGUES),
        },
        asks=('Translate "{text}" into {language}.', 'How do I say "{text}" in {language}? Use the translator.'),
        without={"language": Missing(ask='Translate "{text}", please.', words=("language", "into", "which"))},
    ),
    Tool(
        name="start_timer",
        about="Starts a countdown.",
        needed={
            "seconds": Argument(
                type="integer",
                about="How long, in seconds",
                values={90: "90 seconds", 300: "5 minutes", 600: "10 minutes", 1500: "25 minutes", 3600: "an hour"},
            )
        },
        more={
            "label": Argument(
                type="string",
                about="What it is for",
                values=same("eggs", "pasta", "laundry", "tea"),
                clause=' Call it "{label}".',
            )
        },
        asks=("Start a timer for {seconds}.", "Wake me in {seconds}, with a timer."),
        without={"seconds": Missing(ask="Start a timer, please.", words=("how long", "minutes", "duration", "time"))},
    ),
    Tool(
        name="list_files",
        about="Lists the files in folders.",
        needed={
            "folders": Argument(
                type="array",
                about="Paths of folders",
                values={
                    ("/srv/logs",): "/srv/logs",
                    ("/home/kim", "/tmp"): "/home/kim and /tmp",
                    ("/data/raw", "/data/clean"): "/data/raw and /data/clean",
                },
            )
        },
        more={
            "suffix": Argument(
                type="string",
                about="Only files that end so",
                values=same(".csv", ".txt", ".log"),
                clause=" Only those that end in {suffix}.",
            )
        },
        asks=("Which files are in {folders}?", "List the files of {folders}."),
        without={
            "folders": Missing(ask="Which files are in my folder?", words=("folder", "path", "where", "directory"))
        },
    ),
)

FACTS = {
    "What is the capital of Japan?": "Tokyo", "What is the capital of France?": "Paris",
    "What is the capital of Egypt?": "Cairo", "What is the capital of Canada?": "Ottawa",
    "Which planet is nearest to the sun?": "Mercury", "Which planet is the largest of our solar system?": "Jupiter",
    "What gas do plants take from the air to make sugar?": "carbon dioxide", "Which metal has the symbol Fe?": "iron",
    "Who wrote Romeo and Juliet?": "Shakespeare", "Who painted the Mona Lisa?": "Leonardo",
    "Which ocean lies between Africa and America?": "Atlantic", "Which animal is the king of the jungle?": "lion",
    "What do bees make from nectar?": "honey", "Which organ pumps blood through the body?": "heart",
    "What is frozen water called?": "ice", "Which season follows winter?": "spring",
    "What is the capital of Norway?": "Oslo", "What is the capital of Kenya?": "Nairobi",
    "What is the capital of Italy?": "Rome", "What is the capital of Poland?": "Warsaw",
    "What is the capital of Greece?": "Athens", "What is the capital of Peru?": "Lima",
    "Which planet is known for its rings?": "Saturn", "What is the fourth planet from the sun?": "Mars",
    "Which gas makes up most of the air?": "nitrogen", "Which element do diamonds consist of?": "carbon",
    "What is table salt, in the words of chemistry?": "sodium chloride", "Which element has the symbol Au?": "gold",
    "Who wrote Hamlet?": "Shakespeare", "Who wrote Don Quixote?": "Cervantes", "Who wrote Faust?": "Goethe",
    "Who discovered penicillin?": "Fleming", "Who stated the theory of general relativity?": "Einstein",
    "Which is the largest ocean?": "Pacific", "Which is the longest river of South America?": "Amazon",
    "Which is the highest mountain on earth?": "Everest", "On which continent is the Sahara?": "Africa",
    "Which animal gives wool?": "sheep", "What is a young cat called?": "kitten",
    "What is a young dog called?": "puppy", "Which organ do we think with?": "brain",
    "Which instrument has 88 keys?": "piano", "Which season lies between autumn and spring?": "winter",
    "Which star is nearest to the earth?": "sun", "What force makes an apple fall?": "gravity",
    "What is the currency of Japan?": "yen", "Which language is spoken in Brazil?": "Portuguese",
}  # fmt: skip
"""Questions that no tool here helps with, and a word that their answer has."""
